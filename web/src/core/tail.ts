// What a live tail shows: a bounded list of rows, the newest first, which can be paused. Pure.

export type TailRecord = { partition: number; offset: number };

export type TailState<R extends TailRecord> = {
  rows: R[];
  paused: boolean;
  /** Arrived while paused, the newest first; bounded as well. */
  waiting: R[];
  /** Records that arrived, whether they are still shown or not. */
  received: number;
  /** Records that the server left out because this reader was too slow. */
  skipped: number;
  /** Per partition, the highest offset seen: after a reconnect the same record does not count twice. */
  seen: Record<number, number>;
};

export type TailAction<R extends TailRecord> =
  | { type: 'received'; records: R[] }
  | { type: 'skipped'; count: number }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'clear' };

export const kTailRowsMax = 500;

export function emptyTail<R extends TailRecord>(): TailState<R> {
  return { rows: [], paused: false, waiting: [], received: 0, skipped: 0, seen: {} };
}

export function reduceTail<R extends TailRecord>(state: TailState<R>, action: TailAction<R>): TailState<R> {
  switch (action.type) {
    case 'received':
      return receive(state, action.records);
    case 'skipped':
      return { ...state, skipped: state.skipped + action.count };
    case 'pause':
      return { ...state, paused: true };
    case 'resume':
      return { ...state, paused: false, rows: bounded([...state.waiting, ...state.rows]), waiting: [] };
    case 'clear':
      return { ...state, rows: [], waiting: [] };
  }
}

function receive<R extends TailRecord>(state: TailState<R>, records: R[]): TailState<R> {
  const seen = { ...state.seen };
  const fresh: R[] = [];
  for (const record of records) {
    if (record.offset <= (seen[record.partition] ?? -1)) continue;
    seen[record.partition] = record.offset;
    fresh.push(record);
  }
  if (fresh.length === 0) return state;
  fresh.reverse();
  const received = state.received + fresh.length;
  return state.paused
    ? { ...state, seen, received, waiting: bounded([...fresh, ...state.waiting]) }
    : { ...state, seen, received, rows: bounded([...fresh, ...state.rows]) };
}

function bounded<R>(rows: R[]): R[] {
  return rows.length > kTailRowsMax ? rows.slice(0, kTailRowsMax) : rows;
}
