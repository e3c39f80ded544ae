import type { ReactNode } from 'react';
import type { StreamDetail } from '../api/schema';
import { toLocalInput } from '../core/time';
import { Segments } from '../ui/parts';
import { setQuery } from '../ui/router';

export type Mode = 'live' | 'offset' | 'time';

/** Where to read from; the same bar over live and stored records. */
export function RecordToolbar({
  detail,
  mode,
  partition,
  byKey = false,
  children,
}: {
  detail: StreamDetail;
  mode: Mode;
  partition: string;
  /** Only the records of one key are read. */
  byKey?: boolean;
  children: ReactNode;
}) {
  const choose = (next: Mode) => {
    const time = next === 'time' ? new Date(Date.now() - 300_000).toISOString() : undefined;
    setQuery({
      mode: next === 'live' ? undefined : next,
      offset: next === 'offset' ? '-50' : undefined,
      time,
      partition: next === 'live' ? undefined : partition || (byKey ? undefined : '0'),
      ...(next === 'live' ? { key: undefined } : {}),
    });
  };
  return (
    <div className="bar">
      <Segments
        label="Read from"
        value={mode}
        options={[
          { value: 'live', label: 'Live' },
          { value: 'offset', label: 'From offset' },
          { value: 'time', label: 'From time' },
        ]}
        onChange={choose}
      />
      {detail.partitions.length > 1 && (
        <select
          className="field"
          aria-label="Partition"
          value={partition}
          onChange={(event) => setQuery({ partition: event.target.value })}
        >
          {mode === 'live' && <option value="">All partitions</option>}
          {byKey && <option value="">The key’s partition</option>}
          {detail.partitions.map((one) => (
            <option key={one.partition} value={one.partition}>
              Partition {one.partition}
            </option>
          ))}
        </select>
      )}
      {children}
    </div>
  );
}

export function TimeField({ time, onChange }: { time: string; onChange: (time: string) => void }) {
  const date = new Date(time);
  return (
    <input
      className="field"
      type="datetime-local"
      step="1"
      aria-label="Time"
      defaultValue={Number.isNaN(date.getTime()) ? '' : toLocalInput(date)}
      onChange={(event) => {
        const chosen = new Date(event.target.value);
        if (!Number.isNaN(chosen.getTime())) onChange(chosen.toISOString());
      }}
    />
  );
}
