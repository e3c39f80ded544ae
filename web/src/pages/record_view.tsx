// Records as a table, and one record in full.
import { useState } from 'react';
import type { StreamRecord } from '../api/schema';
import { formatBytes } from '../core/numbers';
import { pathTo } from '../core/routes';
import { CopyJson, Headers, JsonText, RawText } from '../ui/code';
import { Ago, Badge, Clock, Segments } from '../ui/parts';
import { Link } from '../ui/router';

export const idOf = (record: StreamRecord) => `${record.partition}:${record.offset}`;

type TableProps = { records: StreamRecord[]; selected: string | undefined; onSelect: (id: string) => void };

export function RecordTable({ records, selected, onSelect }: TableProps) {
  return (
    <table className="table records">
      <colgroup>
        <col style={{ width: 118 }} />
        <col style={{ width: 76 }} />
        <col style={{ width: 110 }} />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th>Time</th>
          <th>Offset</th>
          <th>Key</th>
          <th>Value</th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => {
          const id = idOf(record);
          return (
            <tr
              key={id}
              className="go"
              aria-current={id === selected}
              onClick={() => {
                onSelect(id);
                showOnNarrowPage();
              }}
            >
              <td className="soft">
                <Clock time={record.timestamp} />
              </td>
              <td>
                <button
                  type="button"
                  className="row-button mono"
                  data-row
                  onFocus={() => onSelect(id)}
                  aria-label={`Record ${id}`}
                >
                  {id}
                </button>
              </td>
              <td className="mono">{record.key ?? <span className="faint">none</span>}</td>
              <td className="mono preview">{previewOf(record)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** On a narrow page the record stands below the list, out of sight. */
function showOnNarrowPage() {
  if (!matchMedia('(max-width: 899px)').matches) return;
  requestAnimationFrame(() =>
    document.querySelector('[aria-label="Record"]')?.scrollIntoView({ block: 'start' }),
  );
}

function previewOf(record: StreamRecord): string {
  if (record.valueText !== undefined) return record.valueText.slice(0, 300).replace(/\s+/g, ' ');
  if (record.valueBase64 !== undefined) return `${formatBytes(record.valueBytes ?? 0)} binary`;
  return '(no value)';
}

/** Whether a record has the text somewhere that a person would look. */
export function holds(record: StreamRecord, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return true;
  const places = [record.key, record.valueText, record.eventId, record.traceId, idOf(record)];
  return (
    places.some((place) => place?.toLowerCase().includes(wanted)) ||
    record.headers.some((header) => header.value.toLowerCase().includes(wanted))
  );
}

/** A key can be asked for when it is text; bytes that are not show as base64. */
function isText(key: string | null | undefined): key is string {
  return key !== null && key !== undefined && key !== '' && !key.startsWith('base64:');
}

export function RecordView({ record, stream }: { record: StreamRecord; stream: string }) {
  const [view, setView] = useState<'pretty' | 'raw'>('pretty');
  return (
    <div className="inspector">
      <div className="bar">
        <h2 className="mono">{idOf(record)}</h2>
        {!record.json && record.valueText !== undefined && <Badge tone="plain">not JSON</Badge>}
        {record.traceId && (
          <Link to={pathTo.trace(record.traceId)} className="push">
            Trace →
          </Link>
        )}
        {record.eventId && <Link to={pathTo.deliveries({ eventId: record.eventId })}>Deliveries →</Link>}
      </div>
      <dl className="facts">
        <dt>Time</dt>
        <dd>
          <Clock time={record.timestamp} />{' '}
          <span className="soft">
            (<Ago time={record.timestamp} />)
          </span>
        </dd>
        <dt>Key</dt>
        <dd>
          <span className="mono">{record.key ?? <span className="faint">none</span>}</span>{' '}
          {isText(record.key) && (
            <Link
              to={pathTo.stream(stream, { mode: 'offset', partition: record.partition, key: record.key })}
              title="Show all records of this key in this partition"
            >
              all of it →
            </Link>
          )}
        </dd>
        {record.eventType && (
          <>
            <dt>Event type</dt>
            <dd>{record.eventType}</dd>
          </>
        )}
        {record.eventId && (
          <>
            <dt>Event id</dt>
            <dd className="mono">{record.eventId}</dd>
          </>
        )}
        {record.eventSource && (
          <>
            <dt>Source</dt>
            <dd className="mono">{record.eventSource}</dd>
          </>
        )}
        {record.traceId && (
          <>
            <dt>Trace</dt>
            <dd>
              <Link to={pathTo.trace(record.traceId)} className="mono">
                {record.traceId}
              </Link>
            </dd>
          </>
        )}
        <dt>Position</dt>
        <dd>
          <Link
            to={pathTo.stream(stream, { mode: 'offset', partition: record.partition, offset: record.offset })}
          >
            partition {record.partition}, offset {record.offset}
          </Link>
        </dd>
      </dl>
      <div className="stack">
        <div className="bar">
          <h3>Value{record.valueBytes === undefined ? '' : `, ${formatBytes(record.valueBytes)}`}</h3>
          {record.json && (
            <Segments
              label="Show the value"
              value={view}
              options={[
                { value: 'pretty', label: 'Pretty' },
                { value: 'raw', label: 'Raw' },
              ]}
              onChange={setView}
            />
          )}
          {record.valueText !== undefined && (
            <span className="push">
              <CopyJson text={record.valueText} />
            </span>
          )}
        </div>
        <Value record={record} pretty={view === 'pretty'} />
        {record.valueCut && <p className="faint small">The value is longer and is cut here.</p>}
      </div>
      <div className="stack">
        <h3>Headers</h3>
        <Headers headers={record.headers} />
      </div>
    </div>
  );
}

function Value({ record, pretty }: { record: StreamRecord; pretty: boolean }) {
  if (record.valueText === undefined && record.valueBase64 === undefined) {
    return <p className="faint">No value: this record deletes its key (a tombstone).</p>;
  }
  const text = record.valueText ?? record.valueBase64 ?? '';
  return record.json && pretty ? <JsonText text={text} /> : <RawText text={text} />;
}
