import { describe, expect, it } from 'vitest';
import { formatBytes, formatCompact, formatCount, formatShare, plural } from './numbers';

describe('formatCompact', () => {
  it.each([
    [0, '0'],
    [0.001, '<0.01'],
    [0.42, '0.42'],
    [4.25, '4.3'],
    [41.04, '41'],
    [412, '412'],
    [9999, '9,999'],
    [12_345, '12.3k'],
    [999_999, '1M'],
    [3_400_000, '3.4M'],
    [2e13, '20T'],
  ])('%d is "%s"', (value, text) => expect(formatCompact(value)).toBe(text));
});

describe('formatShare', () => {
  it('never shows a failure as none, nor an incomplete success as all', () => {
    expect(formatShare(0.000_001)).toBe('<0.01 %');
    expect(formatShare(0.999_999)).toBe('>99.99 %');
  });
  it.each([
    [0, '0 %'],
    [0.0007, '0.07 %'],
    [0.12, '12 %'],
    [0.963, '96.3 %'],
    [0.9951, '99.51 %'],
    [1, '100 %'],
  ])('%d is "%s"', (share, text) => expect(formatShare(share)).toBe(text));
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [93_212_345, '88.9 MiB'],
    [1_048_575, '1.0 MiB'],
  ])('%d is "%s"', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('counts', () => {
  it('groups digits and agrees in number', () => {
    expect(formatCount(148201)).toBe('148,201');
    expect(plural(1, 'record')).toBe('1 record');
    expect(plural(1200, 'reply', 'replies')).toBe('1,200 replies');
  });
});
