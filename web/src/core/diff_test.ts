import { describe, expect, it } from 'vitest';
import { diffLines, foldDiff, type DiffLine } from './diff';

const show = (lines: DiffLine[]) =>
  lines.map((line) => ({ same: ' ', removed: '-', added: '+' })[line.kind] + line.text).join('\n');

describe('diffLines', () => {
  it('finds the changed line between equal ones', () => {
    expect(show(diffLines(['a', 'b', 'c'], ['a', 'x', 'c']))).toBe(' a\n-b\n+x\n c');
  });

  it('shows a created and a deleted document whole', () => {
    expect(show(diffLines([], ['a', 'b']))).toBe('+a\n+b');
    expect(show(diffLines(['a', 'b'], []))).toBe('-a\n-b');
    expect(diffLines([], [])).toEqual([]);
  });

  it('keeps what moved to a minimum', () => {
    const changed = diffLines([...'abcabba'], [...'cbabac']).filter((line) => line.kind !== 'same');
    expect(changed).toHaveLength(5);
  });

  it('numbers lines by the text that has them', () => {
    expect(diffLines(['a', 'b'], ['b', 'c'])).toEqual([
      { kind: 'removed', text: 'a', before: 1 },
      { kind: 'same', text: 'b', before: 2, after: 1 },
      { kind: 'added', text: 'c', after: 2 },
    ]);
  });

  it('gives back both texts, whatever they are', () => {
    let state = 7;
    const next = (bound: number) => (state = (state * 48271) % 2147483647) % bound;
    for (let round = 0; round < 300; round += 1) {
      const before = Array.from({ length: next(12) }, () => 'abc'[next(3)]!);
      const after = Array.from({ length: next(12) }, () => 'abc'[next(3)]!);
      const lines = diffLines(before, after);
      expect(lines.filter((line) => line.kind !== 'added').map((line) => line.text)).toEqual(before);
      expect(lines.filter((line) => line.kind !== 'removed').map((line) => line.text)).toEqual(after);
    }
  });

  it('does not run away on two long texts without a common line', () => {
    const before = Array.from({ length: 5000 }, (_, n) => `b${n}`);
    const after = Array.from({ length: 5000 }, (_, n) => `a${n}`);
    expect(diffLines(before, after)).toHaveLength(10_000);
  });
});

describe('foldDiff', () => {
  it('leaves out what is far from a change and counts it', () => {
    const before = Array.from({ length: 20 }, (_, n) => `line ${n}`);
    const after = before.map((line, n) => (n === 10 ? 'changed' : line));
    const parts = foldDiff(diffLines(before, after), 2);
    expect(parts.map((part) => ('skipped' in part ? part.skipped : part.lines.length))).toEqual([8, 6, 7]);
  });

  it('does not replace a single line by a note', () => {
    const parts = foldDiff(diffLines(['a', 'b', 'c'], ['x', 'b', 'y']), 0);
    expect(parts).toHaveLength(1);
  });

  it('has nothing but a count when nothing changed', () => {
    expect(foldDiff(diffLines(['a', 'b'], ['a', 'b']))).toEqual([{ skipped: 2 }]);
  });
});
