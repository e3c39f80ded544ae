import { useCallback, useState, type FormEvent } from 'react';
import { api } from '../api/client';
import type { TraceSummary } from '../api/schema';
import { pathTo } from '../core/routes';
import { formatDuration } from '../core/time';
import { commands } from '../ui/commands';
import { usePaged } from '../ui/data';
import { Badge, Clock, Empty, More, Show, SilentNodes } from '../ui/parts';
import { goOnClick, Link, navigate, setQuery, useLocation } from '../ui/router';

export function TracesPage() {
  const { query } = useLocation();
  const service = query.get('service') ?? '';
  const errorsOnly = query.get('errorsOnly') === 'true';
  const minDurationMs = Number(query.get('minDurationMs')) || 0;
  const q = query.get('q') ?? '';
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) =>
      api.traces(
        {
          cursor,
          limit: 50,
          service: service || undefined,
          errorsOnly: errorsOnly || undefined,
          minDurationMs: minDurationMs || undefined,
          q: q || undefined,
        },
        signal,
      ),
    [service, errorsOnly, minDurationMs, q],
  );
  const list = usePaged(`traces ${service} ${errorsOnly} ${minDurationMs} ${q}`, load, 5000);
  const filtered = service !== '' || errorsOnly || minDurationMs > 0 || q !== '';
  return (
    <>
      <div className="page-head">
        <h1>Traces</h1>
      </div>
      <Filters
        services={list.first?.services ?? []}
        service={service}
        errorsOnly={errorsOnly}
        minDurationMs={minDurationMs}
        q={q}
      />
      <SilentNodes nodes={list.first?.nodes} />
      <Show loaded={list} label="Loading traces" rows={12}>
        {(traces) => (
          <div className="panel">
            {traces.length === 0 ? (
              filtered ? (
                <Empty title="No trace fits this search">
                  The words are looked for in span names and attribute values, so an order number or a status
                  code works. Traces are kept for a limited time.
                </Empty>
              ) : (
                <Empty title="There is no trace yet" command={commands.demo}>
                  Each request at the gateway and each record starts one. The demo, in a Weft of its own,
                  produces both.
                </Empty>
              )
            ) : (
              <TraceTable list={traces} />
            )}
            <More list={list} />
          </div>
        )}
      </Show>
    </>
  );
}

type FilterProps = {
  services: string[];
  service: string;
  errorsOnly: boolean;
  minDurationMs: number;
  q: string;
};

function Filters({ services, service, errorsOnly, minDurationMs, q }: FilterProps) {
  const [text, setText] = useState(q);
  const search = (event: FormEvent) => {
    event.preventDefault();
    const wanted = text.trim();
    if (/^[0-9a-f]{32}$/i.test(wanted)) navigate(pathTo.trace(wanted.toLowerCase()));
    else setQuery({ q: wanted });
  };
  return (
    <form className="bar" role="search" onSubmit={search}>
      <input
        className="field"
        style={{ width: 'min(340px, 100%)' }}
        type="search"
        aria-label="Search traces"
        placeholder="Trace id, span name or attribute value"
        data-filter
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.value === '') setQuery({ q: undefined });
        }}
      />
      <button type="submit" className="button">
        Search
      </button>
      <label className="inline-label">
        <span className="visually-hidden">Service</span>
        <select
          className="field"
          value={service}
          onChange={(event) => setQuery({ service: event.target.value })}
        >
          <option value="">All services</option>
          {[...new Set([...services, ...(service ? [service] : [])])].map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <label className="inline-label">
        <span className="visually-hidden">Shortest duration</span>
        <select
          className="field"
          value={String(minDurationMs)}
          onChange={(event) =>
            setQuery({ minDurationMs: event.target.value === '0' ? undefined : event.target.value })
          }
        >
          <option value="0">Any duration</option>
          {[10, 100, 1000, 10_000].map((ms) => (
            <option key={ms} value={ms}>
              over {formatDuration(ms)}
            </option>
          ))}
        </select>
      </label>
      <label className="inline-label">
        <input
          type="checkbox"
          checked={errorsOnly}
          onChange={(event) => setQuery({ errorsOnly: event.target.checked ? 'true' : undefined })}
        />
        Failed only
      </label>
    </form>
  );
}

function TraceTable({ list }: { list: TraceSummary[] }) {
  const longest = Math.max(1e-6, ...list.map((trace) => trace.durationMs));
  return (
    <div className="table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>Trace</th>
            <th>Starts with</th>
            <th />
            <th className="number">Duration</th>
            <th className="secondary" style={{ width: '22%' }} />
            <th className="number">Spans</th>
            <th className="secondary">Services</th>
            <th>Start</th>
          </tr>
        </thead>
        <tbody>
          {list.map((trace) => (
            <tr key={trace.traceId} className="go" onClick={goOnClick(pathTo.trace(trace.traceId))}>
              <td>
                <Link to={pathTo.trace(trace.traceId)} className="mono" data-row title={trace.traceId}>
                  {trace.traceId.slice(0, 12)}
                </Link>
              </td>
              <td>{trace.name}</td>
              <td>{trace.failed && <Badge tone="bad">failed</Badge>}</td>
              <td className="number">{formatDuration(trace.durationMs)}</td>
              <td className="secondary">
                <DurationBar share={logShare(trace.durationMs, longest)} failed={trace.failed} />
              </td>
              <td className="number soft">{trace.spanCount}</td>
              <td className="soft secondary">{trace.services.join(', ')}</td>
              <td className="soft">
                <Clock time={trace.start} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Durations differ by powers of ten, so their bars are logarithmic; from 10 µs up.
function logShare(ms: number, longest: number): number {
  const floor = 0.01;
  if (longest <= floor) return 1;
  return Math.max(0.02, Math.log(Math.max(ms, floor) / floor) / Math.log(longest / floor));
}

function DurationBar({ share, failed }: { share: number; failed: boolean }) {
  return (
    <svg width="100%" height="6" preserveAspectRatio="none" viewBox="0 0 100 6" aria-hidden="true">
      <rect
        width={share * 100}
        height="6"
        rx="1"
        fill={failed ? 'var(--series-failures)' : 'var(--series-requests)'}
        opacity="0.75"
      />
    </svg>
  );
}
