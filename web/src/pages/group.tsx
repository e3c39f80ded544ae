// One consumer group: members, offsets, lag and its trend; where it is to go on, and its end.
import { useState } from 'react';
import { api } from '../api/client';
import type { GroupDetail } from '../api/schema';
import { inOrder } from '../core/groups';
import { formatCount, plural } from '../core/numbers';
import { pathTo } from '../core/routes';
import { formatDuration } from '../core/time';
import { LagChart } from '../ui/chart';
import { commands } from '../ui/commands';
import { useLoaded } from '../ui/data';
import { announce, Confirm } from '../ui/dialog';
import { Command, Crumb, Empty, Show, Status } from '../ui/parts';
import { Link, navigate } from '../ui/router';
import { ResetDialog } from './group_reset';
import { Alert } from './groups';

export function GroupPage({ name }: { name: string }) {
  const [asking, setAsking] = useState<'reset' | 'delete'>();
  const loaded = useLoaded(`group ${name}`, (signal) => api.group(name, signal), 5000);
  const detail = loaded.data;
  return (
    <>
      <div className="page-head">
        <Crumb to="/groups">Groups</Crumb>
        <h1>{name}</h1>
        {detail && <Head detail={detail} />}
        {detail && (
          <span className="bar push">
            <button type="button" className="button" onClick={() => setAsking('reset')}>
              Reset …
            </button>
            <button type="button" className="button danger" onClick={() => setAsking('delete')}>
              Delete …
            </button>
          </span>
        )}
      </div>
      <Show loaded={loaded} label="Loading the group" rows={12}>
        {(data) => (
          <>
            <Trend detail={data} />
            <Offsets detail={data} />
            <Members detail={data} />
          </>
        )}
      </Show>
      {detail && asking === 'reset' && (
        <ResetDialog detail={detail} onClose={() => setAsking(undefined)} onDone={loaded.reload} />
      )}
      {detail && asking === 'delete' && (
        <Confirm
          title={`Delete ${name}?`}
          action="Delete the group"
          onClose={() => setAsking(undefined)}
          onConfirm={async () => {
            await api.deleteGroup(name);
            announce(`Group ${name} is deleted.`);
            navigate('/groups');
          }}
        >
          Its offsets are forgotten: a client that comes with this <code>group.id</code> begins where its own
          settings say, which may be at the first record. Only a group without members can be deleted. This
          cannot be undone.
        </Confirm>
      )}
    </>
  );
}

function Head({ detail }: { detail: GroupDetail }) {
  const { group } = detail;
  return (
    <>
      {group.state && <Status value={group.state} />}
      {detail.alert && <Alert since={detail.alertSince} />}
      <span className="soft small">
        {plural(group.members ?? 0, 'member')} · {plural(group.lag, 'record')} behind
        {group.lag > 0 && group.lagSeconds !== undefined && (
          <> · the oldest of them is {formatDuration(group.lagSeconds * 1000)} old</>
        )}
      </span>
    </>
  );
}

function Trend({ detail }: { detail: GroupDetail }) {
  const { history } = detail;
  if (history.length === 0) {
    return (
      <section className="panel" aria-label="Lag">
        <Empty title="No trend yet">
          The lag is looked at every ten seconds; the first points show here in a moment.
        </Empty>
      </section>
    );
  }
  return (
    <div className="columns">
      <section className="panel" aria-labelledby="lag-records">
        <div className="panel-head">
          <h2 id="lag-records">Lag in records, last 15 minutes</h2>
        </div>
        <LagChart history={history} of="records" />
      </section>
      <section className="panel" aria-labelledby="lag-time">
        <div className="panel-head">
          <h2 id="lag-time">Lag in time, last 15 minutes</h2>
        </div>
        <LagChart history={history} of="time" />
      </section>
    </div>
  );
}

function Offsets({ detail }: { detail: GroupDetail }) {
  const offsets = inOrder(detail.group.offsets ?? []);
  return (
    <section className="panel" aria-labelledby="offsets">
      <div className="panel-head">
        <h2 id="offsets">Offsets</h2>
      </div>
      {offsets.length === 0 ? (
        <p className="panel-body soft">It has stored no offset yet.</p>
      ) : (
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th className="wide">Stream</th>
                <th className="number">Partition</th>
                <th className="number">Next offset</th>
                <th className="number">Lag</th>
              </tr>
            </thead>
            <tbody>
              {offsets.map((one) => (
                <tr key={`${one.stream} ${one.partition}`}>
                  <td className="wide">
                    {one.stream && (
                      <Link
                        to={pathTo.stream(one.stream, {
                          mode: 'offset',
                          partition: one.partition,
                          offset: one.offset,
                        })}
                        title="Show the records that it reads next"
                        data-row
                      >
                        {one.stream}
                      </Link>
                    )}
                  </td>
                  <td className="number">{one.partition}</td>
                  <td className="number">{formatCount(one.offset)}</td>
                  <td className={`number ${one.lag > 0 ? '' : 'faint'}`}>{formatCount(one.lag)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Members({ detail }: { detail: GroupDetail }) {
  const { clients, group } = detail;
  return (
    <section className="panel" aria-labelledby="members">
      <div className="panel-head">
        <h2 id="members">Members</h2>
      </div>
      {clients.length === 0 ? (
        <div className="panel-body stack">
          <p className="soft">Nobody reads with this group now: no program of it runs.</p>
          <Command text={commands.group(group.group)} />
        </div>
      ) : (
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th>Client</th>
                <th>Host</th>
                <th className="secondary">Instance</th>
                <th className="wide secondary">Member id</th>
              </tr>
            </thead>
            <tbody>
              {clients.map((one) => (
                <tr key={one.memberId}>
                  <td className="capped" title={one.clientId}>
                    {one.clientId}
                  </td>
                  <td className="mono soft">{one.host}</td>
                  <td className="mono soft secondary">{one.instanceId ?? '–'}</td>
                  <td className="wide mono soft secondary">{one.memberId}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
