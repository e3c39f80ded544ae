import { useCallback } from 'react';
import { api } from '../api/client';
import { formatBytes, formatCompact, formatCount } from '../core/numbers';
import { pathTo } from '../core/routes';
import { formatDuration } from '../core/time';
import { commands } from '../ui/commands';
import { usePaged } from '../ui/data';
import { Ago, Badge, Empty, More, Show } from '../ui/parts';
import { goOnClick, Link, setQuery, useLocation } from '../ui/router';

export function StreamsPage() {
  const internal = useLocation().query.get('internal') === 'true';
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) => api.streams({ cursor, limit: 100, internal }, signal),
    [internal],
  );
  const list = usePaged(`streams ${internal}`, load, 5000);
  return (
    <>
      <div className="page-head">
        <h1>Streams</h1>
        <label className="inline-label push">
          <input
            type="checkbox"
            checked={internal}
            onChange={(event) => setQuery({ internal: event.target.checked ? 'true' : undefined })}
          />
          Internal streams
        </label>
      </div>
      <Show loaded={list} label="Loading streams">
        {(streams) => (
          <div className="panel">
            {streams.length === 0 ? (
              <Empty title="There is no stream yet" command={commands.applyExample}>
                A stream is declared by a document with an owner, a retention and a schema. The smallest
                example has one for greetings.
              </Empty>
            ) : (
              <div className="table-scroll">
                <table className="table">
                  <thead>
                    <tr>
                      <th>Stream</th>
                      <th>Owner</th>
                      <th className="number">Records/s</th>
                      <th className="number">Records</th>
                      <th className="number secondary">Size</th>
                      <th className="number secondary">Partitions</th>
                      <th className="secondary">Kept</th>
                      <th className="secondary">Schema</th>
                      <th>Last record</th>
                    </tr>
                  </thead>
                  <tbody>
                    {streams.map((stream) => (
                      <tr key={stream.name} className="go" onClick={goOnClick(pathTo.stream(stream.name))}>
                        <td>
                          <Link to={pathTo.stream(stream.name)} data-row>
                            {stream.name}
                          </Link>
                          {stream.durability === 'memory' && (
                            <>
                              {' '}
                              <Badge tone="warn">memory</Badge>
                            </>
                          )}
                        </td>
                        <td className="soft">{stream.owner || '–'}</td>
                        <td className="number">{formatCompact(stream.recordsPerSecond)}</td>
                        <td className="number">{formatCount(stream.records)}</td>
                        <td className="number soft secondary">{formatBytes(stream.bytes)}</td>
                        <td className="number soft secondary">{stream.partitions}</td>
                        <td className="soft secondary">{kept(stream)}</td>
                        <td className="soft secondary">{stream.schemaName ?? 'opaque'}</td>
                        <td className="soft">
                          <Ago time={stream.lastRecordAt} missing="never" />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <More list={list} />
          </div>
        )}
      </Show>
    </>
  );
}

export function kept(stream: {
  cleanup?: string;
  retentionSeconds?: number | null;
  retentionBytes?: number | null;
}): string {
  if (stream.cleanup === 'compact') return 'latest per key';
  const parts: string[] = [];
  if (stream.retentionSeconds) parts.push(formatDuration(stream.retentionSeconds * 1000));
  if (stream.retentionBytes) parts.push(formatBytes(stream.retentionBytes));
  return parts.length > 0 ? parts.join(' or ') : 'for ever';
}
