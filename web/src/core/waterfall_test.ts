import { describe, expect, it } from 'vitest';
import { axisOf, layOutSpans, niceStep, positionOf, ticksOf, type SpanInput } from './waterfall';

const base = Date.parse('2025-03-14T09:26:53Z');

function span(spanId: string, parentSpanId: string | null, startMs: number, durationMs: number): SpanInput {
  const at = (ms: number) => new Date(base + ms).toISOString();
  return {
    spanId,
    parentSpanId,
    name: spanId,
    service: 's',
    start: at(startMs),
    end: at(startMs + durationMs),
    failed: false,
  };
}

describe('layOutSpans', () => {
  it('puts children under their parent, by start', () => {
    const rows = layOutSpans([
      span('late', 'root', 6, 1),
      span('early', 'root', 2, 3),
      span('root', null, 0, 10),
      span('inner', 'early', 3, 1),
    ]);
    expect(rows.map((row) => `${' '.repeat(row.depth)}${row.span.spanId}`)).toEqual([
      'root',
      ' early',
      '  inner',
      ' late',
    ]);
    expect(rows[0]).toMatchObject({ startMs: 0, durationMs: 10, children: 2 });
  });

  it('counts a span without its parent as a root', () => {
    const rows = layOutSpans([span('b', 'missing', 5, 1), span('a', null, 0, 1)]);
    expect(rows.map((row) => [row.span.spanId, row.depth])).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
  });

  it('shows each span once, also when parents form a circle', () => {
    const rows = layOutSpans([span('a', 'b', 0, 1), span('b', 'a', 1, 1), span('self', 'self', 2, 1)]);
    expect(rows.map((row) => row.span.spanId).sort()).toEqual(['a', 'b', 'self']);
  });

  it('measures nanoseconds', () => {
    const nano = {
      ...span('a', null, 0, 0),
      start: '2025-03-14T09:26:53.000000100Z',
      end: '2025-03-14T09:26:53.000000350Z',
    };
    expect(layOutSpans([nano])[0]!.durationMs).toBeCloseTo(0.00025, 9);
  });

  it('does not draw a negative length when clocks disagree', () => {
    expect(layOutSpans([span('a', null, 5, -3)])[0]!.durationMs).toBe(0);
  });

  it('lays out nothing for nothing', () => {
    expect(layOutSpans([])).toEqual([]);
  });

  it('survives a chain of 20,000 spans', () => {
    const chain = Array.from({ length: 20_000 }, (_, n) => span(`s${n}`, n === 0 ? null : `s${n - 1}`, n, 1));
    expect(layOutSpans(chain).at(-1)!.depth).toBe(19_999);
  });
});

describe('axis', () => {
  const retried = [
    { startMs: 0, durationMs: 4 },
    { startMs: 1, durationMs: 2 },
    { startMs: 600_000, durationMs: 6 },
  ];

  it('is true to scale unless asked to fold', () => {
    const axis = axisOf(retried, false);
    expect(axis.folded).toBe(false);
    expect(positionOf(axis, 300_003)).toBeCloseTo(0.5, 3);
  });

  it('folds a long idle gap so that both ends stay visible', () => {
    const axis = axisOf(retried, true);
    expect(axis.segments.map((segment) => segment.folded)).toEqual([false, true, false]);
    expect(positionOf(axis, 4)).toBeCloseTo(0.38, 2);
    expect(positionOf(axis, 600_000)).toBeCloseTo(0.43, 2);
    expect(positionOf(axis, 600_006)).toBe(1);
  });

  it('folds each of many retries and still leaves most of the width to them', () => {
    const attempts = Array.from({ length: 13 }, (_, n) => ({ startMs: n * 10_000, durationMs: 5 }));
    const axis = axisOf(attempts, true);
    const folded = axis.segments.filter((segment) => segment.folded);
    expect(folded).toHaveLength(12);
    expect(folded.reduce((sum, segment) => sum + segment.to - segment.from, 0)).toBeCloseTo(0.4, 6);
  });

  it('keeps short pauses as they are', () => {
    expect(
      axisOf(
        [
          { startMs: 0, durationMs: 10 },
          { startMs: 15, durationMs: 10 },
        ],
        true,
      ).folded,
    ).toBe(false);
  });

  it('has nothing to fold where a span covers everything', () => {
    expect(axisOf([{ startMs: 0, durationMs: 700_000 }, ...retried], true).folded).toBe(false);
  });

  it('is monotonic', () => {
    const axis = axisOf([...retried, { startMs: 2_000_000, durationMs: 1 }], true);
    let last = -1;
    for (let ms = 0; ms <= axis.totalMs; ms += axis.totalMs / 5000) {
      const position = positionOf(axis, ms);
      expect(position).toBeGreaterThanOrEqual(last);
      last = position;
    }
    expect(last).toBeLessThanOrEqual(1);
  });

  it('draws a trace without length', () => {
    const axis = axisOf([{ startMs: 0, durationMs: 0 }], true);
    expect(positionOf(axis, 0)).toBe(0);
    expect(ticksOf(axis, 6)).toEqual([]);
  });
});

describe('ticks', () => {
  it('are round, within the axis, and about as many as asked for', () => {
    for (const totalMs of [0.3, 7, 42.5, 999, 5129.4, 86_400_000]) {
      const ticks = ticksOf(axisOf([{ startMs: 0, durationMs: totalMs }], true), 6);
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks.length).toBeLessThanOrEqual(8);
      expect(ticks.every((tick) => tick.at >= 0 && tick.at <= 1)).toBe(true);
    }
  });

  it('name the moment after a folded gap, and count from there', () => {
    const axis = axisOf(
      [
        { startMs: 0, durationMs: 4 },
        { startMs: 600_000, durationMs: 6 },
      ],
      true,
    );
    const after = ticksOf(axis, 8).filter((tick) => tick.at > 0.42);
    expect(after[0]).toMatchObject({ ms: 600_000, relative: false });
    expect(after.slice(1).every((tick) => tick.relative && tick.ms <= 6)).toBe(true);
    expect(after.length).toBeGreaterThan(1);
  });

  it('keep their distance, so that labels do not overlap', () => {
    const attempts = Array.from({ length: 13 }, (_, n) => ({ startMs: n * 10_000, durationMs: 5 }));
    const ticks = ticksOf(axisOf(attempts, true), 6);
    for (let n = 1; n < ticks.length; n += 1) expect(ticks[n]!.at - ticks[n - 1]!.at).toBeGreaterThan(0.1);
  });

  it('step by 1, 2 or 5', () => {
    expect([0.011, 1, 1.2, 3, 7, 10, 0].map(niceStep)).toEqual([0.02, 1, 2, 5, 10, 10, 1]);
  });
});
