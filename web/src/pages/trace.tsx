// One trace as a waterfall, with the attributes of the chosen span beside it.
import { useMemo, useState } from 'react';
import { api } from '../api/client';
import type { Span, Trace } from '../api/schema';
import { plural } from '../core/numbers';
import { linksOf } from '../core/routes';
import { formatDateTime, formatDuration } from '../core/time';
import { axisOf, layOutSpans, positionOf, ticksOf, type Axis, type SpanRow } from '../core/waterfall';
import { commands } from '../ui/commands';
import { Dotted } from '../ui/code';
import { useLoaded } from '../ui/data';
import { Icon } from '../ui/icons';
import { Badge, Clock, CopyButton, Crumb, Show, SilentNodes } from '../ui/parts';
import { Link } from '../ui/router';

const kServiceColors = 5;
const kTicks = 5;

export function TracePage({ traceId }: { traceId: string }) {
  // Deliveries may still add spans to a young trace.
  const loaded = useLoaded(`trace ${traceId}`, (signal) => api.trace(traceId, signal), 5000);
  return (
    <>
      <div className="page-head">
        <Crumb to="/traces">Traces</Crumb>
        <h1>
          <span className="mono">{traceId}</span>
        </h1>
        <CopyButton text={commands.trace(traceId)} label="Copy as weft trace …" />
      </div>
      <Show loaded={loaded} label="Loading the trace" rows={12}>
        {(trace) => <Waterfall trace={trace} />}
      </Show>
    </>
  );
}

function Waterfall({ trace }: { trace: Trace }) {
  const rows = useMemo(() => layOutSpans(trace.spans), [trace]);
  const canFold = useMemo(() => axisOf(rows, true).folded, [rows]);
  const [fold, setFold] = useState(true);
  const [chosen, setChosen] = useState<string>();
  const axis = useMemo(() => axisOf(rows, fold), [rows, fold]);
  const services = useMemo(() => [...new Set(rows.map((row) => row.span.service))], [rows]);
  const selected =
    rows.find((row) => row.span.spanId === chosen) ?? rows.find((row) => row.span.failed) ?? rows[0];
  const failed = rows.filter((row) => row.span.failed).length;

  return (
    <>
      <SilentNodes nodes={trace.nodes} />
      <div className="bar">
        <span>
          <strong>{formatDuration(axis.totalMs)}</strong>{' '}
          <span className="soft">
            · {plural(rows.length, 'span')} · {formatDateTime(trace.start)}
          </span>
        </span>
        {failed > 0 && <Badge tone="bad">{failed} failed</Badge>}
        {trace.partial && <Badge tone="warn">incomplete</Badge>}
        <ul className="legend">
          {services.map((service, at) => (
            <li key={service}>
              <span className={`swatch service-${at % kServiceColors}`} />
              {service}
            </li>
          ))}
        </ul>
        {canFold && (
          <label className="inline-label push">
            <input type="checkbox" checked={fold} onChange={(event) => setFold(event.target.checked)} />
            Fold idle time
          </label>
        )}
      </div>
      <div className="split wide-first stretch">
        <section className="panel" aria-label="Waterfall">
          <div className="scroll waterfall">
            <div className="line axis" aria-hidden="true">
              <span>Span</span>
              <Track axis={axis}>
                {ticksOf(axis, kTicks).map((tick) => (
                  <span key={tick.at} className="tick" style={{ left: `${tick.at * 100}%` }}>
                    {tick.relative && '+'}
                    {formatDuration(tick.ms)
                      .replace(/(\.\d*?)0+ /, '$1 ')
                      .replace('. ', ' ')}
                  </span>
                ))}
              </Track>
            </div>
            {rows.map((row) => (
              <SpanLine
                key={row.span.spanId}
                row={row}
                axis={axis}
                color={services.indexOf(row.span.service) % kServiceColors}
                current={row === selected}
                onChoose={() => setChosen(row.span.spanId)}
              />
            ))}
          </div>
        </section>
        <section className="panel" aria-label="Span">
          <div className="scroll">{selected && <SpanView row={selected} />}</div>
        </section>
      </div>
    </>
  );
}

function Track({ axis, children }: { axis: Axis; children: React.ReactNode }) {
  return (
    <span className="track">
      {axis.segments
        .filter((segment) => segment.folded)
        .map((segment) => (
          <span
            key={segment.from}
            className="fold"
            style={{ left: `${segment.from * 100}%`, width: `${(segment.to - segment.from) * 100}%` }}
          />
        ))}
      {children}
    </span>
  );
}

type LineProps = { row: SpanRow<Span>; axis: Axis; color: number; current: boolean; onChoose: () => void };

function SpanLine({ row, axis, color, current, onChoose }: LineProps) {
  const { span } = row;
  const from = positionOf(axis, row.startMs);
  const to = positionOf(axis, row.startMs + row.durationMs);
  // Near the end the label stands before the bar, so that it is never cut.
  const labelAt =
    to > 0.9 && from > 0.15 ? { right: `${(1 - from) * 100}%`, paddingRight: 5 } : { left: `${to * 100}%` };
  return (
    <button
      type="button"
      data-row
      className={span.failed ? 'line row failed' : 'line row'}
      aria-current={current}
      onClick={onChoose}
      onFocus={onChoose}
    >
      <span className="title" style={{ paddingLeft: 12 + Math.min(row.depth, 12) * 14 }}>
        <span className={`dot service-${color}`} />
        <span className="cut">{span.name}</span>
        <span className="visually-hidden">{`, ${span.service}${span.failed ? ', failed' : ''}, level ${row.depth + 1},`}</span>
        {span.failed && <Icon name="fail" size={12} className="bad-text" />}
      </span>
      <Track axis={axis}>
        <span
          className={`bar-mark service-${color}`}
          style={{ left: `${from * 100}%`, width: `${Math.max(0, to - from) * 100}%` }}
        />
        <span className="bar-label" style={labelAt}>
          {formatDuration(row.durationMs)}
        </span>
      </Track>
    </button>
  );
}

function SpanView({ row }: { row: SpanRow<Span> }) {
  const { span } = row;
  const links = linksOf(span.attributes);
  const attributes = Object.entries(span.attributes);
  return (
    <div className="inspector">
      <div className="stack">
        <h2 className="break">{span.name}</h2>
        <div className="bar">
          {span.failed ? <Badge tone="bad">failed</Badge> : <Badge tone="ok">ok</Badge>}
          <Badge tone="plain">{span.kind}</Badge>
          {links.map((link) => (
            <Link key={link.href} to={link.href}>
              {link.label} →
            </Link>
          ))}
        </div>
      </div>
      <dl className="facts">
        <dt>Service</dt>
        <dd>{span.service}</dd>
        {span.node && (
          <>
            <dt>Node</dt>
            <dd>{span.node}</dd>
          </>
        )}
        <dt>Duration</dt>
        <dd>{formatDuration(row.durationMs)}</dd>
        <dt>Starts</dt>
        <dd>
          {formatDuration(row.startMs)} after the trace, at <Clock time={span.start} />
        </dd>
        <dt>Span</dt>
        <dd className="mono">{span.spanId}</dd>
      </dl>
      <div className="stack">
        <h3>Attributes</h3>
        {attributes.length === 0 ? (
          <p className="faint">None</p>
        ) : (
          <dl className="headers">
            {attributes.map(([name, value]) => (
              <div key={name} style={{ display: 'contents' }}>
                <dt>
                  <Dotted text={name} />
                </dt>
                <dd>
                  <Dotted text={String(value)} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </div>
  );
}
