import { describe, expect, it } from 'vitest';
import {
  formatClock,
  formatDateTime,
  formatDuration,
  formatRelative,
  millisBetween,
  parseNanos,
  toLocalInput,
} from './time';

describe('parseNanos', () => {
  it('keeps nine fractional digits', () => {
    expect(parseNanos('2025-03-14T09:26:53.587123456Z')).toBe(1741944413587123456n);
  });
  it('reads missing digits as zeros', () => {
    expect(parseNanos('2025-03-14T09:26:53Z')).toBe(1741944413000000000n);
    expect(parseNanos('2025-03-14T09:26:53.5Z')).toBe(1741944413500000000n);
  });
  it('honours the zone', () => {
    expect(parseNanos('2025-03-14T10:26:53+01:00')).toBe(parseNanos('2025-03-14T09:26:53Z'));
  });
  it('refuses what is no time', () => {
    for (const text of ['', 'yesterday', '2025-03-14', '2025-13-41T00:00:00Z', '1741944413']) {
      expect(parseNanos(text), text).toBeUndefined();
    }
  });
  it('measures below a microsecond', () => {
    const start = parseNanos('2025-03-14T09:26:53.000000001Z')!;
    const end = parseNanos('2025-03-14T09:26:53.000000251Z')!;
    expect(millisBetween(start, end)).toBe(0.00025);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [0.000_4, '0 µs'],
    [0.412, '412 µs'],
    [0.9997, '1.00 ms'],
    [3.4249, '3.42 ms'],
    [99.96, '100 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [59_949, '59.9 s'],
    [59_990, '1 min'],
    [125_000, '2 min 5 s'],
    [3_599_900, '1 h'],
    [11_520_000, '3 h 12 min'],
    [187_200_000, '2 d 4 h'],
    [-1500, '−1.50 s'],
    [Number.NaN, '–'],
  ])('%d ms is "%s"', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatRelative', () => {
  const now = 1_741_944_413_000;
  it.each([
    [0, 'just now'],
    [12_400, '12 s ago'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [7_200_000, '2 h ago'],
    [4 * 86_400_000, '4 d ago'],
    [-9_000, 'in 9 s'],
  ])('%d ms before now is "%s"', (distance, text) => {
    expect(formatRelative(now - distance, now)).toBe(text);
  });
});

describe('clock and date', () => {
  const local = new Date(2025, 2, 14, 9, 26, 53, 589);
  it('leaves the day out today and shows it otherwise', () => {
    expect(formatClock(local.toISOString(), local.getTime())).toBe('09:26:53.589');
    expect(formatClock(local.toISOString(), local.getTime() + 48 * 3_600_000)).toBe(
      '2025-03-14 09:26:53.589',
    );
  });
  it('gives a field its own format', () => {
    expect(toLocalInput(local)).toBe('2025-03-14T09:26:53');
    expect(formatDateTime(local.toISOString())).toBe('2025-03-14 09:26:53');
  });
  it('passes on what it cannot read', () => {
    expect(formatClock('soon', 0)).toBe('soon');
    expect(formatDateTime('soon')).toBe('soon');
  });
});
