// Records of one partition from an offset or a time on.
import { useCallback, useState, type FormEvent } from 'react';
import { api } from '../api/client';
import type { StreamDetail } from '../api/schema';
import { formatCount } from '../core/numbers';
import { usePaged } from '../ui/data';
import { Empty, More, Show } from '../ui/parts';
import { setQuery, useLocation } from '../ui/router';
import { RecordToolbar, TimeField } from './record_toolbar';
import { idOf, RecordTable, RecordView } from './record_view';

export function StoredRecords({ detail, mode }: { detail: StreamDetail; mode: 'offset' | 'time' }) {
  const { query } = useLocation();
  const name = detail.stream.name;
  const partition = Number(query.get('partition') ?? '0');
  const offset = query.get('offset') ?? '0';
  const time = query.get('time') ?? '';
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) =>
      api.records(
        name,
        {
          partition,
          limit: 100,
          cursor,
          ...(cursor ? {} : mode === 'offset' ? { offset: Number(offset) } : { time: time || undefined }),
        },
        signal,
      ),
    [name, partition, mode, offset, time],
  );
  const list = usePaged(`records ${name} ${partition} ${mode} ${offset} ${time}`, load);
  const [chosen, setChosen] = useState<string>();
  const records = list.data ?? [];
  const shown = records.find((record) => idOf(record) === chosen) ?? records[0];
  const range = list.first ?? detail.partitions.find((one) => one.partition === partition);

  return (
    <>
      <RecordToolbar detail={detail} mode={mode} partition={String(partition)}>
        {mode === 'offset' ? (
          <OffsetField key={offset} offset={offset} />
        ) : (
          <TimeField key={mode} time={time} onChange={(chosen) => setQuery({ time: chosen })} />
        )}
        <button type="button" className="button" onClick={list.reload}>
          Read again
        </button>
        {range && (
          <span className="soft small push">
            offsets {formatCount(range.start)} to {formatCount(Math.max(range.start, range.end - 1))}
          </span>
        )}
      </RecordToolbar>
      <Show loaded={list} label="Reading records" rows={12}>
        {() => (
          <div className="split stretch">
            <section className="panel" aria-label="Records">
              <div className="scroll">
                {records.length === 0 ? (
                  <Empty title="No record from there on">
                    {mode === 'time'
                      ? 'Nothing was stored at or after this time in this partition. Choose an earlier time or another partition.'
                      : 'This is the end of the partition. Choose a lower offset; -50 reads the last fifty.'}
                  </Empty>
                ) : (
                  <RecordTable records={records} selected={shown && idOf(shown)} onSelect={setChosen} />
                )}
                <More list={list} />
              </div>
            </section>
            <section className="panel" aria-label="Record">
              <div className="scroll">{shown && <RecordView record={shown} stream={name} />}</div>
            </section>
          </div>
        )}
      </Show>
    </>
  );
}

function OffsetField({ offset }: { offset: string }) {
  const [text, setText] = useState(offset);
  const valid = /^-?\d{1,15}$/.test(text.trim());
  const go = (event: FormEvent) => {
    event.preventDefault();
    if (valid) setQuery({ offset: text.trim() });
  };
  return (
    <form className="bar" onSubmit={go}>
      <input
        className="field mono"
        style={{ width: 130 }}
        inputMode="numeric"
        aria-label="Offset; negative counts from the end"
        aria-invalid={!valid}
        title="Negative counts from the end"
        data-filter
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button" disabled={!valid}>
        Go
      </button>
    </form>
  );
}
