// Follows a stream: reads the live tail, reconnects where it stopped, and hands records to the reducer in
// bunches, one per frame, so that a busy stream does not draw the page a thousand times a second.
import { useEffect, useReducer, useState } from 'react';
import { readTail, type ApiError } from '../api/client';
import type { StreamRecord } from '../api/schema';
import { emptyTail, reduceTail, type TailAction, type TailState } from '../core/tail';
import { asApiError } from './data';

export type Connection = 'connecting' | 'open' | 'lost';

const kRetryMs = [500, 1000, 2000, 5000];
const kHistory = 50;

type Reducer = (state: TailState<StreamRecord>, action: TailAction<StreamRecord>) => TailState<StreamRecord>;

/** Mount it anew (by key) for another stream or partition. */
export function useTail(stream: string, partition: number | undefined) {
  const [state, dispatch] = useReducer<Reducer>(reduceTail, emptyTail<StreamRecord>());
  const [connection, setConnection] = useState<Connection>('connecting');
  const [error, setError] = useState<ApiError>();

  useEffect(() => {
    const abort = new AbortController();
    let queued: StreamRecord[] = [];
    let frame = 0;
    let timer = 0;
    let position = '';
    let failures = 0;
    const flush = () => {
      frame = 0;
      const records = queued;
      queued = [];
      dispatch({ type: 'received', records });
    };
    const events = {
      open: () => {
        failures = 0;
        setConnection('open');
        setError(undefined);
      },
      position: (id: string) => {
        position = id;
      },
      record: (record: StreamRecord) => {
        queued.push(record);
        if (frame === 0) frame = requestAnimationFrame(flush);
      },
      skipped: (count: number) => dispatch({ type: 'skipped', count }),
    };
    const follow = async () => {
      try {
        await readTail(stream, { from: `-${kHistory}`, partition }, position, events, abort.signal);
      } catch (failure) {
        if (abort.signal.aborted) return;
        setError(asApiError(failure));
      }
      if (abort.signal.aborted) return;
      setConnection('lost');
      timer = window.setTimeout(() => void follow(), kRetryMs[Math.min(failures, kRetryMs.length - 1)]);
      failures += 1;
    };
    void follow();
    return () => {
      abort.abort();
      cancelAnimationFrame(frame);
      window.clearTimeout(timer);
    };
  }, [stream, partition]);

  return { state, dispatch, connection, error };
}
