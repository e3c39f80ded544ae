import { describe, expect, it } from 'vitest';
import { emptyTail, kTailRowsMax, reduceTail, type TailRecord, type TailState } from './tail';

const records = (partition: number, from: number, count: number): TailRecord[] =>
  Array.from({ length: count }, (_, n) => ({ partition, offset: from + n }));

const receive = (state: TailState<TailRecord>, ...batches: TailRecord[][]) =>
  batches.reduce((now, batch) => reduceTail(now, { type: 'received', records: batch }), state);

describe('live tail', () => {
  it('shows the newest first', () => {
    const state = receive(emptyTail(), records(0, 0, 2), records(0, 2, 1));
    expect(state.rows.map((row) => row.offset)).toEqual([2, 1, 0]);
  });

  it('keeps a bounded number of rows and counts the rest', () => {
    const state = receive(emptyTail(), records(0, 0, kTailRowsMax), records(0, kTailRowsMax, 100));
    expect(state.rows).toHaveLength(kTailRowsMax);
    expect(state.rows[0]!.offset).toBe(kTailRowsMax + 99);
    expect(state.received).toBe(kTailRowsMax + 100);
  });

  it('holds still while paused and catches up afterwards', () => {
    const paused = reduceTail(receive(emptyTail(), records(0, 0, 3)), { type: 'pause' });
    const waiting = receive(paused, records(0, 3, 4));
    expect(waiting.rows).toBe(paused.rows);
    expect(waiting.waiting).toHaveLength(4);
    const resumed = reduceTail(waiting, { type: 'resume' });
    expect(resumed.rows.map((row) => row.offset)).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect(resumed.waiting).toEqual([]);
  });

  it('does not grow without bound while paused', () => {
    const paused = reduceTail(emptyTail<TailRecord>(), { type: 'pause' });
    const state = receive(paused, records(0, 0, 2 * kTailRowsMax));
    expect(state.waiting).toHaveLength(kTailRowsMax);
    expect(reduceTail(state, { type: 'resume' }).rows).toHaveLength(kTailRowsMax);
  });

  it('counts a record once when a reconnect repeats it, each partition for itself', () => {
    const state = receive(
      emptyTail(),
      records(0, 5, 2),
      records(1, 5, 1),
      records(0, 5, 3),
      records(1, 0, 2),
    );
    expect(state.rows.map((row) => `${row.partition}:${row.offset}`)).toEqual(['0:7', '1:5', '0:6', '0:5']);
    expect(state.received).toBe(4);
  });

  it('is the same state when nothing is new, so that nothing is drawn again', () => {
    const state = receive(emptyTail(), records(0, 0, 1));
    expect(receive(state, records(0, 0, 1), [])).toBe(state);
  });

  it('forgets rows but not positions when cleared', () => {
    const cleared = reduceTail(receive(emptyTail(), records(0, 0, 3)), { type: 'clear' });
    expect(cleared.rows).toEqual([]);
    expect(receive(cleared, records(0, 2, 2)).rows.map((row) => row.offset)).toEqual([3]);
  });

  it('adds up what the server left out', () => {
    const once = reduceTail(emptyTail<TailRecord>(), { type: 'skipped', count: 28 });
    expect(reduceTail(once, { type: 'skipped', count: 2 }).skipped).toBe(30);
  });
});
