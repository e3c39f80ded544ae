// Sends one record through the same checks as any other door.
import { useState, type FormEvent } from 'react';
import { api, type ApiError } from '../api/client';
import type { Header, ProducedRecord, StreamDetail } from '../api/schema';
import { prettyJsonText } from '../core/json_text';
import { pathTo } from '../core/routes';
import { asApiError } from '../ui/data';
import { Badge, Failure } from '../ui/parts';
import { Link } from '../ui/router';

export function ProduceForm({ detail }: { detail: StreamDetail }) {
  const { stream, partitions, schema, sample } = detail;
  const [key, setKey] = useState('');
  const [value, setValue] = useState(() => (sample ? prettyJsonText(sample) : ''));
  const [partition, setPartition] = useState('');
  const [headers, setHeaders] = useState<Header[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [produced, setProduced] = useState<ProducedRecord>();
  const fault = schema && schema.format === 'json-schema' ? jsonFault(value) : undefined;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    setProduced(undefined);
    try {
      setProduced(
        await api.produce(stream.name, {
          valueText: value,
          ...(key === '' ? {} : { key }),
          ...(partition === '' ? {} : { partition: Number(partition) }),
          headers: headers.filter((header) => header.name !== ''),
        }),
      );
    } catch (failure) {
      setError(asApiError(failure));
    } finally {
      setBusy(false);
    }
  };
  const change = (at: number, fields: Partial<Header>) =>
    setHeaders(headers.map((header, n) => (n === at ? { ...header, ...fields } : header)));

  return (
    <form className="produce" onSubmit={submit}>
      <div className="panel panel-body stack">
        <label className="label">
          Value, stored exactly as it stands here
          <textarea
            className="field"
            rows={16}
            spellCheck={false}
            required
            value={value}
            onChange={(event) => setValue(event.target.value)}
            aria-describedby="value-fault"
          />
        </label>
        <div className="small bar" id="value-fault" aria-live="polite">
          {value !== '' && fault && <span className="bad-text">Not JSON: {fault}</span>}
          {schema && !fault && value !== '' && (
            <span className="soft in-text">
              Checked against <Link to={pathTo.stream(stream.name, { tab: 'schema' })}>{schema.name}</Link>{' '}
              when it is sent.
            </span>
          )}
          <button
            type="button"
            className="button quiet small push"
            onClick={() => setValue(prettyJsonText(value))}
          >
            Tidy up
          </button>
        </div>
      </div>
      <div className="stack">
        <div className="panel panel-body stack">
          <div className="header-row">
            <label className="label" style={{ gridColumn: '1 / 3' }}>
              Key
              <input
                className="field mono"
                value={key}
                onChange={(event) => setKey(event.target.value)}
                placeholder="none"
              />
            </label>
            <label className="label">
              Partition
              <select
                className="field"
                value={partition}
                onChange={(event) => setPartition(event.target.value)}
              >
                <option value="">by key</option>
                {partitions.map((one) => (
                  <option key={one.partition}>{one.partition}</option>
                ))}
              </select>
            </label>
          </div>
          <div className="label">Headers</div>
          {headers.map((header, at) => (
            <div key={at} className="header-row">
              <input
                className="field mono"
                aria-label={`Name of header ${at + 1}`}
                placeholder="name"
                value={header.name}
                onChange={(event) => change(at, { name: event.target.value })}
              />
              <input
                className="field mono"
                aria-label={`Value of header ${at + 1}`}
                placeholder="value"
                value={header.value}
                onChange={(event) => change(at, { value: event.target.value })}
              />
              <button
                type="button"
                className="button quiet"
                aria-label={`Remove header ${at + 1}`}
                onClick={() => setHeaders(headers.filter((_, n) => n !== at))}
              >
                ✕
              </button>
            </div>
          ))}
          <span>
            <button
              type="button"
              className="button small"
              onClick={() => setHeaders([...headers, { name: '', value: '' }])}
            >
              Add a header
            </button>
          </span>
        </div>
        <div className="bar">
          <button type="submit" className="button primary" disabled={busy || value === ''}>
            {busy ? 'Sending …' : 'Produce'}
          </button>
          <span className="soft small">It is a real record: subscriptions deliver it.</span>
        </div>
        {error && <Failure error={error} />}
        {produced && (
          <div className="panel panel-body stack" role="status">
            <span>
              <Badge tone="ok">stored</Badge> partition {produced.partition}, offset {produced.offset}
            </span>
            <span className="bar">
              <Link
                to={pathTo.stream(stream.name, {
                  mode: 'offset',
                  partition: produced.partition,
                  offset: produced.offset,
                })}
              >
                Show the record →
              </Link>
              <Link to={pathTo.trace(produced.traceId)}>Trace →</Link>
              {produced.eventId && (
                <Link to={pathTo.deliveries({ eventId: produced.eventId })}>Deliveries →</Link>
              )}
            </span>
          </div>
        )}
      </div>
    </form>
  );
}

function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (failure) {
    return failure instanceof Error ? failure.message : String(failure);
  }
}
