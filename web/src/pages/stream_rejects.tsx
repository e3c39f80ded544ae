// What broke the stream's contract: who sent it and why, and what waits in quarantine.
import { useState } from 'react';
import { api } from '../api/client';
import type { QuarantineList, RejectList, StreamDetail } from '../api/schema';
import { formatBytes, formatCount, plural } from '../core/numbers';
import { pathTo } from '../core/routes';
import { commands } from '../ui/commands';
import { useLoaded } from '../ui/data';
import { Confirm } from '../ui/dialog';
import { Ago, Badge, Command, Empty, Show } from '../ui/parts';
import { Link } from '../ui/router';

export type Quarantine = QuarantineList['items'][number];
type Reject = RejectList['items'][number];

const kShown = 100;

type Props = { detail: StreamDetail; quarantine: Quarantine | undefined; onRedriven: () => void };

export function StreamRejects({ detail, quarantine, onRedriven }: Props) {
  const { name, validation } = detail.stream;
  const rejects = useLoaded(
    `rejects ${name}`,
    (signal) => api.rejects(name, { limit: kShown }, signal),
    10_000,
  );
  return (
    <>
      {quarantine && <QuarantinePanel quarantine={quarantine} onRedriven={onRedriven} />}
      <Show loaded={rejects} label="Loading what was rejected">
        {({ items }) => (
          <section className="panel" aria-label="Rejected">
            {items.length === 0 ? (
              <Empty title="Nothing was rejected" command={commands.rejects(name)}>
                {validation === 'none'
                  ? 'Nothing is checked before a record is stored in this stream, so nothing is rejected.'
                  : 'No batch of the last seven days broke the contract of this stream.'}
              </Empty>
            ) : (
              <RejectTable items={items} />
            )}
            {items.length === kShown && (
              <p className="panel-body faint small">The latest {formatCount(kShown)} are shown.</p>
            )}
          </section>
        )}
      </Show>
    </>
  );
}

function RejectTable({ items }: { items: Reject[] }) {
  return (
    <div className="table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>When</th>
            <th>Outcome</th>
            <th>Who</th>
            <th className="secondary">Door</th>
            <th className="number secondary">Partition</th>
            <th>Broken</th>
            <th className="wide">What is wrong with the first</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one, at) => (
            <tr key={at}>
              <td className="soft">
                <Ago time={one.at} />
              </td>
              <td>
                <Badge tone={one.outcome === 'refused' ? 'bad' : 'warn'}>{one.outcome}</Badge>
              </td>
              <td>
                {one.principal}
                {one.client && <span className="soft small"> as {one.client}</span>}
              </td>
              <td className="soft secondary">{one.door}</td>
              <td className="number soft secondary">{one.partition ?? '–'}</td>
              <td>
                {formatCount(one.broken)} of {formatCount(one.sent)}
              </td>
              <td className="wide" title={`Record ${one.index} of the batch: ${one.reason}`}>
                {one.sent > 1 && <span className="faint">record {one.index}: </span>}
                {one.reason}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function QuarantinePanel({ quarantine, onRedriven }: { quarantine: Quarantine; onRedriven: () => void }) {
  const { stream, records } = quarantine;
  const [asking, setAsking] = useState(false);
  const [result, setResult] = useState<{ stored: number; kept: number }>();
  return (
    <section className="panel" aria-labelledby="quarantine">
      <div className="panel-head">
        <h2 id="quarantine">Quarantine</h2>
        <Badge tone={records > 0 ? 'warn' : 'ok'}>
          {records > 0 ? `${plural(records, 'record')} waiting` : 'empty'}
        </Badge>
        {records > 0 && <span className="soft small">{formatBytes(quarantine.bytes)}</span>}
        <Link to={pathTo.stream(quarantine.quarantine, { mode: 'offset', offset: '-50' })}>
          Show its records →
        </Link>
        <button
          type="button"
          className="button push"
          disabled={records === 0}
          onClick={() => setAsking(true)}
        >
          Redrive …
        </button>
      </div>
      <div className="panel-body stack">
        <p className="soft">
          Kafka records that break the contract wait here, as they were sent, with the reason in their
          headers. When the contract is mended, look at them again:
        </p>
        <Command text={commands.redriveQuarantine(stream)} />
        {result && (
          <p role="status" className="bar">
            <Badge tone={result.kept > 0 ? 'warn' : 'ok'}>{formatCount(result.stored)} stored</Badge>
            {resultText(result)}
          </p>
        )}
      </div>
      {asking && (
        <Confirm
          title={`Look at ${plural(records, 'record')} again?`}
          action={`Redrive ${plural(records, 'record')}`}
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            setResult(await api.redriveQuarantine(stream));
            onRedriven();
          }}
        >
          Those that keep the contract of <code className="break">{stream}</code> now are stored in the
          partition they were sent to, at a new offset: whoever reads the stream gets them. The others stay in
          quarantine with their new reason.
        </Confirm>
      )}
    </section>
  );
}

function resultText({ stored, kept }: { stored: number; kept: number }): string {
  if (stored === 0 && kept === 0) return 'There was nothing in quarantine any more.';
  if (kept === 0) return 'All of them keep the contract now.';
  return `${plural(kept, 'record')} still ${kept === 1 ? 'breaks' : 'break'} the contract and ${kept === 1 ? 'stays' : 'stay'} in quarantine.`;
}
