// One stream: its records live or from a position, its groups, what it rejected, its partitions, schema and
// settings, and a test record.
import { api } from '../api/client';
import type { StreamDetail } from '../api/schema';
import { formatBytes, formatCompact, formatCount, plural } from '../core/numbers';
import { pathTo } from '../core/routes';
import { formatDuration } from '../core/time';
import { JsonText, RawText } from '../ui/code';
import { commands } from '../ui/commands';
import { useLoaded } from '../ui/data';
import { Badge, CopyButton, Crumb, Empty, Show, Tabs } from '../ui/parts';
import { Link, useLocation } from '../ui/router';
import { StoredRecords } from './stored_records';
import { LiveRecords } from './live_records';
import { ProduceForm } from './produce_form';
import { StreamRejects, type Quarantine } from './stream_rejects';
import { StreamSettings } from './stream_settings';
import { kept } from './streams';

const tabs = [
  { id: 'records', label: 'Records' },
  { id: 'groups', label: 'Groups' },
  { id: 'rejected', label: 'Rejected' },
  { id: 'partitions', label: 'Partitions' },
  { id: 'schema', label: 'Schema' },
  { id: 'settings', label: 'Settings' },
  { id: 'produce', label: 'Produce a test record' },
];

export function StreamPage({ name }: { name: string }) {
  const { query } = useLocation();
  const loaded = useLoaded(`stream ${name}`, (signal) => api.stream(name, signal), 5000);
  const quarantines = useLoaded('quarantines', api.quarantines, 10_000);
  const tab = query.get('tab') ?? 'records';
  const stream = loaded.data?.stream;
  const own = quarantines.data?.items.find((one) => one.stream === name);
  const source = quarantines.data?.items.find((one) => one.quarantine === name)?.stream;
  return (
    <>
      <div className="page-head">
        <Crumb to="/streams">Streams</Crumb>
        <h1>{name}</h1>
        {stream && (
          <>
            <Badge tone={stream.durability === 'disk' ? 'plain' : 'warn'}>{stream.durability}</Badge>
            <Badge tone="plain">validates {stream.validation}</Badge>
            <span className="soft small">
              {stream.owner} · {plural(stream.partitions, 'partition')} · {plural(stream.records, 'record')} ·{' '}
              {formatBytes(stream.bytes)} · {formatCompact(stream.recordsPerSecond)}/s · kept {kept(stream)}
            </span>
            {own && own.records > 0 && (
              <Link to={pathTo.stream(name, { tab: 'rejected' })}>
                <Badge tone="warn">{formatCompact(own.records)} in quarantine</Badge>
              </Link>
            )}
            {source && (
              <span className="soft small in-text">
                quarantine of <Link to={pathTo.stream(source, { tab: 'rejected' })}>{source}</Link>
              </span>
            )}
          </>
        )}
      </div>
      <Show loaded={loaded} label="Loading the stream" rows={12}>
        {(detail) => (
          <>
            <Tabs
              label="Stream"
              tabs={tabsOf(source).map((one) => ({
                label: labelOf(one, detail),
                to: pathTo.stream(name, one.id === 'records' ? {} : { tab: one.id }),
                current: tab === one.id,
              }))}
            />
            <Content
              tab={tab}
              detail={detail}
              quarantine={own}
              quarantineOf={source}
              onRedriven={() => {
                quarantines.reload();
                loaded.reload();
              }}
            />
          </>
        )}
      </Show>
    </>
  );
}

/** Nobody but its stream writes to a quarantine, and nothing is rejected there. */
function tabsOf(source: string | undefined) {
  return tabs.filter((one) => source === undefined || (one.id !== 'produce' && one.id !== 'rejected'));
}

function labelOf(tab: { id: string; label: string }, detail: StreamDetail): string {
  return tab.id === 'groups' && detail.groups.length > 0 ? `${tab.label} ${detail.groups.length}` : tab.label;
}

type ContentProps = {
  tab: string;
  detail: StreamDetail;
  quarantine: Quarantine | undefined;
  quarantineOf: string | undefined;
  onRedriven: () => void;
};

function Content({ tab, detail, quarantine, quarantineOf, onRedriven }: ContentProps) {
  const mode = useLocation().query.get('mode') ?? 'live';
  switch (tab) {
    case 'groups':
      return <Groups detail={detail} />;
    case 'rejected':
      return <StreamRejects detail={detail} quarantine={quarantine} onRedriven={onRedriven} />;
    case 'partitions':
      return <Partitions detail={detail} />;
    case 'schema':
      return <Schema detail={detail} />;
    case 'settings':
      return <StreamSettings detail={detail} quarantineOf={quarantineOf} />;
    case 'produce':
      return <ProduceForm key={detail.stream.name} detail={detail} />;
    default:
      return mode === 'live' ? (
        <LiveRecords detail={detail} />
      ) : (
        <StoredRecords detail={detail} mode={mode === 'time' ? 'time' : 'offset'} />
      );
  }
}

function Groups({ detail }: { detail: StreamDetail }) {
  if (detail.groups.length === 0) {
    return (
      <div className="panel">
        <Empty title="Nobody reads this stream yet" command={commands.consume(detail.stream.name)}>
          Consumer groups of Kafka clients and subscriptions show here with how far behind they are.
        </Empty>
      </div>
    );
  }
  return (
    <div className="panel table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>Group</th>
            <th>Kind</th>
            <th>State</th>
            <th className="number">Members</th>
            <th className="number">Lag</th>
            <th className="number">Behind</th>
            <th className="wide">Next offset per partition (lag)</th>
          </tr>
        </thead>
        <tbody>
          {detail.groups.map((group) => (
            <tr key={group.group}>
              <td>
                {group.kind === 'subscription' ? (
                  <Link to={pathTo.deliveries({ subscription: group.group })} data-row>
                    {group.group}
                  </Link>
                ) : (
                  <Link to={pathTo.group(group.group)} data-row>
                    {group.group}
                  </Link>
                )}
              </td>
              <td className="soft">{(group.kind ?? 'consumer-group').replace('-', ' ')}</td>
              <td className="soft">{group.state ?? '–'}</td>
              <td className="number soft">{group.members ?? '–'}</td>
              <td className="number">{formatCount(group.lag)}</td>
              <td className="number soft">
                {group.lagSeconds === undefined ? '–' : formatDuration(group.lagSeconds * 1000)}
              </td>
              <td className="wide mono soft">
                {(group.offsets ?? [])
                  .map((one) => `${one.partition}: ${one.offset} (${one.lag})`)
                  .join(' · ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Partitions({ detail }: { detail: StreamDetail }) {
  const largest = Math.max(1, ...detail.partitions.map((one) => one.bytes));
  return (
    <div className="panel table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>Partition</th>
            <th className="number">Start</th>
            <th className="number">End</th>
            <th className="number">Records</th>
            <th className="number">Size</th>
            <th className="wide" aria-label="Share of the largest" />
          </tr>
        </thead>
        <tbody>
          {detail.partitions.map((one) => (
            <tr key={one.partition}>
              <td>
                <Link
                  to={pathTo.stream(detail.stream.name, {
                    mode: 'offset',
                    partition: one.partition,
                    offset: one.start,
                  })}
                  data-row
                >
                  {one.partition}
                </Link>
              </td>
              <td className="number">{formatCount(one.start)}</td>
              <td className="number">{formatCount(one.end)}</td>
              <td className="number">{formatCount(one.end - one.start)}</td>
              <td className="number soft">{formatBytes(one.bytes)}</td>
              <td className="wide">
                <svg
                  width="100%"
                  height="6"
                  viewBox="0 0 100 6"
                  preserveAspectRatio="none"
                  aria-hidden="true"
                >
                  <rect
                    width={(one.bytes / largest) * 100}
                    height="6"
                    rx="1"
                    fill="var(--series-records)"
                    opacity="0.7"
                  />
                </svg>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Schema({ detail }: { detail: StreamDetail }) {
  const { schema } = detail;
  if (!schema) {
    return (
      <div className="panel">
        <Empty title="This stream is opaque" command={commands.apply}>
          Nothing is checked before a record is stored. Name a schema in the stream's document and apply it,
          and each record is checked at every door.
        </Empty>
      </div>
    );
  }
  return (
    <section className="panel" aria-label="Schema">
      <div className="panel-head">
        <h2>{schema.name}</h2>
        <Badge tone="plain">{schema.format}</Badge>
        <Link to={pathTo.resource('Schema', schema.name)}>Its resource →</Link>
        <span className="push">
          <CopyButton text={schema.text} />
        </span>
      </div>
      <div className="panel-body">
        {schema.format === 'protobuf' ? <RawText text={schema.text} /> : <JsonText text={schema.text} />}
      </div>
    </section>
  );
}
