// Records of one partition from an offset or a time on, all or those of one key.
import { useCallback, useState, type FormEvent } from 'react';
import { api } from '../api/client';
import type { StreamDetail } from '../api/schema';
import { formatCount } from '../core/numbers';
import { commands } from '../ui/commands';
import { usePaged } from '../ui/data';
import { Empty, More, Show } from '../ui/parts';
import { setQuery, useLocation } from '../ui/router';
import { RecordToolbar, TimeField } from './record_toolbar';
import { idOf, RecordTable, RecordView } from './record_view';

export function StoredRecords({ detail, mode }: { detail: StreamDetail; mode: 'offset' | 'time' }) {
  const { query } = useLocation();
  const name = detail.stream.name;
  const key = query.get('key') ?? '';
  // A key without a partition: the server knows in which one it lies.
  const partition = query.get('partition') ?? (key === '' ? '0' : '');
  const offset = query.get('offset') ?? '';
  const time = query.get('time') ?? '';
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) =>
      api.records(
        name,
        {
          partition: partition === '' ? undefined : Number(partition),
          key: key === '' ? undefined : key,
          limit: 100,
          cursor,
          ...(cursor
            ? {}
            : mode === 'offset'
              ? { offset: offset === '' ? undefined : Number(offset) }
              : { time: time || undefined }),
        },
        signal,
      ),
    [name, partition, key, mode, offset, time],
  );
  const list = usePaged(`records ${name} ${partition} ${mode} ${offset} ${time} ${key}`, load);
  const [chosen, setChosen] = useState<string>();
  const records = list.data ?? [];
  const shown = records.find((record) => idOf(record) === chosen) ?? records[0];
  const range = list.first ?? detail.partitions.find((one) => String(one.partition) === partition);

  return (
    <>
      <RecordToolbar detail={detail} mode={mode} partition={partition} byKey={key !== ''}>
        {mode === 'offset' ? (
          <OffsetField key={offset} offset={offset} />
        ) : (
          <TimeField key={mode} time={time} onChange={(chosen) => setQuery({ time: chosen })} />
        )}
        <KeyField key={`key ${key}`} recordKey={key} />
        <button type="button" className="button" onClick={list.reload}>
          Read again
        </button>
        {range && (
          <span className="soft small push">
            {key !== '' && detail.partitions.length > 1 && `partition ${range.partition}, `}
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
                  <Nothing stream={name} mode={mode} recordKey={key} hasMore={list.more !== undefined} />
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
  const valid = /^(-?\d{1,15})?$/.test(text.trim());
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
        title="Negative counts from the end; empty is the first record"
        placeholder="first"
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

/** Reads only the records of one key; from the first record on, as what happened to it is wanted whole. */
function KeyField({ recordKey }: { recordKey: string }) {
  const [text, setText] = useState(recordKey);
  const go = (wanted: string) => {
    const partition = wanted === '' ? '0' : undefined;
    setQuery({ key: wanted, ...(wanted === recordKey ? {} : { partition, offset: undefined }) });
  };
  return (
    <form
      className="bar"
      onSubmit={(event) => {
        event.preventDefault();
        go(text);
      }}
    >
      <input
        className="field mono"
        style={{ width: 160 }}
        aria-label="Key; only its records are read"
        placeholder="Only of key"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {recordKey === '' || text !== recordKey ? (
        <button type="submit" className="button" disabled={text === recordKey}>
          Find
        </button>
      ) : (
        <button type="button" className="button" onClick={() => go('')}>
          All keys
        </button>
      )}
    </form>
  );
}

type NothingProps = { stream: string; mode: string; recordKey: string; hasMore: boolean };

function Nothing({ stream, mode, recordKey, hasMore }: NothingProps) {
  if (recordKey !== '') {
    return (
      <Empty
        title={hasMore ? 'No record of this key so far' : 'No record of this key'}
        command={hasMore ? undefined : commands.consumeKey(stream, recordKey)}
      >
        {hasMore
          ? 'Many records were looked at; “Show more” goes on with the next ones.'
          : 'A key is compared as it stands, capitals and blanks too. A producer with another partitioner may have put it into another partition: choose one, or look in all of them:'}
      </Empty>
    );
  }
  return (
    <Empty title="No record from there on">
      {mode === 'time'
        ? 'Nothing was stored at or after this time in this partition. Choose an earlier time or another partition.'
        : 'This is the end of the partition. Choose a lower offset; -50 reads the last fifty.'}
    </Empty>
  );
}
