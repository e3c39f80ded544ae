import { describe, expect, it } from 'vitest';
import { areaPath, indexAt, linePath, scaleTop } from './series';

const frame = { width: 100, height: 40, max: 10 };

describe('series', () => {
  it('spans the width, with zero at the bottom', () => {
    expect(linePath([0, 5, 10], frame)).toBe('M0,40L50,20L100,0');
    expect(areaPath([0, 10], frame)).toBe('M0,40L100,0L100,40L0,40Z');
  });

  it('draws one value as a level line and none as nothing', () => {
    expect(linePath([5], frame)).toBe('M0,20L100,20');
    expect(linePath([], frame)).toBe('');
    expect(areaPath([], frame)).toBe('');
  });

  it('draws a series of zeros on the ground, never as NaN', () => {
    expect(linePath([0, 0], { ...frame, max: 0 })).toBe('M0,40L100,40');
  });

  it('has a round top above all values', () => {
    expect(scaleTop([3, 41.2], 1)).toBe(60);
    expect(scaleTop([0], 1)).toBe(1);
    expect(scaleTop([], 4)).toBe(4);
    expect(scaleTop([100], 1)).toBe(100);
  });

  it('finds the value under the pointer, also at and beyond the edges', () => {
    expect([-5, 0, 26, 49, 100, 130].map((x) => indexAt(x, 5, 100))).toEqual([0, 0, 1, 2, 4, 4]);
    expect(indexAt(10, 0, 100)).toBe(-1);
  });
});
