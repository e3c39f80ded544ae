// Consumer groups of Kafka clients, with how far each is behind.
import { useCallback } from 'react';
import { api } from '../api/client';
import type { GroupList } from '../api/schema';
import { formatCount } from '../core/numbers';
import { pathTo } from '../core/routes';
import { formatDuration } from '../core/time';
import { commands } from '../ui/commands';
import { usePaged } from '../ui/data';
import { Ago, Badge, Empty, More, Show, Status } from '../ui/parts';
import { goOnClick, Link, setQuery, useLocation } from '../ui/router';

type Item = GroupList['items'][number];

export function GroupsPage() {
  const behindOnly = useLocation().query.get('behind') === 'true';
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) => api.groups({ cursor, limit: 100 }, signal),
    [],
  );
  const list = usePaged('groups', load, 5000);
  return (
    <>
      <div className="page-head">
        <h1>Groups</h1>
        <label className="inline-label push">
          <input
            type="checkbox"
            data-filter
            checked={behindOnly}
            onChange={(event) => setQuery({ behind: event.target.checked ? 'true' : undefined })}
          />
          Only those that are too far behind
        </label>
      </div>
      <Show loaded={list} label="Loading groups">
        {(groups) => (
          <section className="panel" aria-label="Groups">
            <Table groups={behindOnly ? groups.filter((one) => one.alert) : groups} all={groups.length} />
            <More list={list} />
          </section>
        )}
      </Show>
    </>
  );
}

function Table({ groups, all }: { groups: Item[]; all: number }) {
  if (all === 0) {
    return (
      <Empty title="There is no consumer group yet" command={commands.demo}>
        Each Kafka client that reads with a <code>group.id</code> makes one; it shows here with its members
        and how far it is behind. Subscriptions have no group: see Deliveries. The demo has one at work.
      </Empty>
    );
  }
  if (groups.length === 0)
    return <Empty title="No group is too far behind">None of those loaded raises an alert.</Empty>;
  return (
    <div className="table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>Group</th>
            <th>State</th>
            <th className="number secondary">Members</th>
            <th className="number">Lag</th>
            <th className="number">Behind</th>
            <th>Alert</th>
            <th className="wide secondary">Streams</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((one) => (
            <tr key={one.group} className="go" onClick={goOnClick(pathTo.group(one.group))}>
              <td className="capped">
                <Link to={pathTo.group(one.group)} data-row title={one.group}>
                  {one.group}
                </Link>
              </td>
              <td>
                <Status value={one.state} />
              </td>
              <td className="number soft secondary">{one.members}</td>
              <td className="number">{formatCount(one.lag)}</td>
              <td className={`number ${one.alert ? 'warn-text' : 'soft'}`}>
                {one.lag === 0 ? '–' : formatDuration(one.lagSeconds * 1000)}
              </td>
              <td>{one.alert && <Alert since={one.alertSince} />}</td>
              <td className="wide soft secondary" title={one.streams.join(', ')}>
                {one.streams.join(', ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A group that is further behind than the setting groups.lagAlert. */
export function Alert({ since }: { since: string | undefined }) {
  return (
    <>
      <Badge tone="warn">too far behind</Badge>
      {since && (
        <span className="soft small secondary">
          {' since '}
          <Ago time={since} />
        </span>
      )}
    </>
  );
}
