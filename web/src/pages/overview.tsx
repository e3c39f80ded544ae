// What needs attention, then how much is going on, then the state of the parts.
import { api } from '../api/client';
import type { Attention, Health, Overview } from '../api/schema';
import { formatCompact, formatCount, formatShare } from '../core/numbers';
import { pathTo } from '../core/routes';
import { formatDuration } from '../core/time';
import { Spark, ThroughputChart } from '../ui/chart';
import { commands } from '../ui/commands';
import { useLoaded } from '../ui/data';
import { Ago, Command, CommandText, CopyButton, Empty, Show, Status } from '../ui/parts';
import { Link } from '../ui/router';

const kRefreshMs = 5000;

export function OverviewPage() {
  const overview = useLoaded('overview', api.overview, kRefreshMs);
  const health = useLoaded('health', api.health, 10_000);
  return (
    <>
      <div className="page-head">
        <h1>Overview</h1>
        {health.data && <NodeLine health={health.data} />}
      </div>
      <Show loaded={overview} label="Loading the overview" rows={12}>
        {(data) => <Figures data={data} />}
      </Show>
      <div className="columns">
        <Show loaded={health} label="Loading the state of the node" rows={4}>
          {(data) => <Checks health={data} />}
        </Show>
        {overview.data && <Changes overview={overview.data} />}
      </div>
    </>
  );
}

function NodeLine({ health }: { health: Health }) {
  return (
    <span className="soft small in-text">
      Weft {health.version} · up {formatDuration(health.uptimeSeconds * 1000)} ·{' '}
      {health.generation > 0 ? (
        <Link to={pathTo.generation(health.generation)}>generation {health.generation}</Link>
      ) : (
        'nothing applied yet'
      )}
    </span>
  );
}

function Figures({ data }: { data: Overview }) {
  const step = data.stepSeconds ?? 5;
  const series = data.series;
  const per = (name: 'requests' | 'records' | 'deliveries' | 'failures') =>
    series.map((point) => point[name] / step);
  const quiet = series.every(
    (point) => point.requests + point.records + point.deliveries + point.failures === 0,
  );
  return (
    <>
      <NeedsAttention list={data.attention} />
      <dl className="figures">
        <Figure
          name="Requests"
          note="at the gateway"
          value={formatCompact(data.requestsPerSecond)}
          unit="/s"
          to="/routes"
          values={per('requests')}
          color="var(--series-requests)"
        />
        <Figure
          name="Records"
          note="stored"
          value={formatCompact(data.recordsPerSecond)}
          unit="/s"
          to="/streams"
          values={per('records')}
          color="var(--series-records)"
        />
        <Figure
          name="Deliveries"
          note="taken by receivers"
          value={formatCompact(data.deliveriesPerSecond)}
          unit="/s"
          to="/deliveries"
          values={per('deliveries')}
          color="var(--series-deliveries)"
        />
        <Figure
          name="Failed attempts"
          value={formatCompact(data.deliveryFailures)}
          to="/deliveries?status=failing"
          note="last 15 minutes"
          values={per('failures')}
          color="var(--series-failures)"
        />
        <Figure
          name="Gateway errors"
          value={formatShare(data.errorRate)}
          note="answers 500 and above"
          to="/traces?errorsOnly=true"
          bad={data.errorRate > 0.01}
        />
        <Figure
          name="Gateway p95"
          value={data.p95Ms === null ? '–' : formatDuration(data.p95Ms)}
          note="time to answer"
          to="/routes"
        />
        <Figure
          name="Furthest behind"
          value={formatCompact(data.maxLagRecords)}
          unit={data.maxLagRecords === 1 ? 'record' : 'records'}
          note={
            data.maxLagOf ? `${data.maxLagOf}, ${formatDuration(data.maxLagSeconds * 1000)}` : 'nobody lags'
          }
          to="/streams"
        />
        <Figure
          name="Dead letters"
          value={formatCount(data.deadLetters)}
          note={`${formatCompact(data.pendingDeliveries)} deliveries on their way`}
          to="/deliveries?status=dead"
          bad={data.deadLetters > 0}
        />
      </dl>
      <section className="panel" aria-labelledby="throughput">
        <div className="panel-head">
          <h2 id="throughput">Throughput, last 15 minutes</h2>
        </div>
        {quiet ? (
          <Empty title="No traffic yet" command={commands.applyExample}>
            Requests, records and deliveries show here as soon as there are any. Apply the smallest example,
            or watch a shop at work in another Weft: <code>{commands.demo}</code>.
          </Empty>
        ) : (
          <ThroughputChart series={series} stepSeconds={step} />
        )}
      </section>
    </>
  );
}

type FigureProps = {
  name: string;
  value: string;
  to: string;
  unit?: string;
  note?: string;
  bad?: boolean;
  values?: number[];
  color?: string;
};

function Figure({ name, value, unit, note, to, bad, values, color }: FigureProps) {
  return (
    <div className="figure">
      <dt className="small soft">
        <Link to={to}>{name}</Link>
      </dt>
      <dd className={values ? 'figure-row' : ''}>
        <div className={bad ? 'value bad-text' : 'value'}>
          {value}
          {unit && <span className="unit">{unit}</span>}
        </div>
        {values && <Spark values={values} color={color ?? 'currentColor'} />}
        {note && <div className="note small faint cut">{note}</div>}
      </dd>
    </div>
  );
}

function NeedsAttention({ list }: { list: Attention[] }) {
  if (list.length === 0) {
    return (
      <p className="soft bar">
        <Status value="pass" label="all well" /> Nothing needs attention.
      </p>
    );
  }
  return (
    <section className="panel" aria-labelledby="attention">
      <div className="panel-head">
        <h2 id="attention">Needs attention</h2>
        <span className="soft">{list.length}</span>
      </div>
      <ul className="attention">
        {list.map((item) => (
          <li key={item.what}>
            <span>
              <Status value={item.severity} />
            </span>
            <div>
              <div>{item.what}</div>
              <div className="soft small">
                {item.why}
                {item.since && (
                  <>
                    {' · since '}
                    <Ago time={item.since} />
                  </>
                )}
              </div>
            </div>
            {item.next && (
              <div className="next">
                {item.next.href ? (
                  <Link to={item.next.href}>{item.next.label} →</Link>
                ) : (
                  <span>{item.next.label}</span>
                )}
                {item.next.command && (
                  <span className="small bar faint">
                    <CommandText text={item.next.command} />
                    <CopyButton text={item.next.command} />
                  </span>
                )}
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Checks({ health }: { health: Health }) {
  return (
    <section className="panel" aria-labelledby="health">
      <div className="panel-head">
        <h2 id="health">Health</h2>
        {health.dataFolder && <code className="faint push cut">{health.dataFolder}</code>}
      </div>
      <ul className="rows">
        {health.checks.map((check) => (
          <li key={check.name}>
            <Status value={check.status} />
            <span>{check.name}</span>
            <span className="soft small push break">{check.message}</span>
          </li>
        ))}
        {(health.listeners ?? []).map((listener) => (
          <li key={listener.name}>
            <span className="soft">{listener.name}</span>
            <code className="push">{listener.url}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Changes({ overview }: { overview: Overview }) {
  return (
    <section className="panel" aria-labelledby="recent">
      <div className="panel-head">
        <h2 id="recent">Recent changes</h2>
        <Link to="/changes" className="push small">
          All changes
        </Link>
      </div>
      {overview.recentChanges.length === 0 ? (
        <div className="panel-body stack">
          <p className="soft">Nothing was applied yet.</p>
          <Command text={commands.applyExample} />
        </div>
      ) : (
        <ul className="rows">
          {overview.recentChanges.map((change, at) => (
            <li key={at}>
              <span className="break">
                {change.generation === undefined ? (
                  change.summary
                ) : (
                  <Link to={pathTo.generation(change.generation)}>{change.summary}</Link>
                )}
              </span>
              <span className="soft small push">
                {change.actor} · <Ago time={change.at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
