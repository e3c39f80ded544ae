import { useCallback } from 'react';
import { api } from '../api/client';
import type { Route } from '../api/schema';
import { formatCompact, formatCount } from '../core/numbers';
import { pathTo } from '../core/routes';
import { formatDuration } from '../core/time';
import { commands } from '../ui/commands';
import { usePaged } from '../ui/data';
import { Badge, Empty, More, Show } from '../ui/parts';
import { Link } from '../ui/router';

export function RoutesPage() {
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) => api.routes({ cursor, limit: 200 }, signal),
    [],
  );
  const list = usePaged('routes', load, 5000);
  return (
    <>
      <div className="page-head">
        <h1>Routes</h1>
        <span className="soft small">Counted since this node started</span>
      </div>
      <Show loaded={list} label="Loading routes">
        {(routes) => (
          <div className="panel">
            {routes.length === 0 ? (
              <Empty title="The gateway has no route yet" command={commands.applyExample}>
                A route comes from an OpenAPI document and leads to an upstream service or to a stream. The
                smallest example has one.
              </Empty>
            ) : (
              <div className="table-scroll">
                <table className="table">
                  <thead>
                    <tr>
                      <th>Route</th>
                      <th>Leads to</th>
                      <th className="secondary">Access</th>
                      <th className="secondary">Idempotency key</th>
                      <th className="number">Requests/s</th>
                      <th className="number">Requests</th>
                      <th className="number">4xx</th>
                      <th className="number">5xx</th>
                      <th className="number">p50</th>
                      <th className="number">p95</th>
                      <th className="number">p99</th>
                    </tr>
                  </thead>
                  <tbody>
                    {routes.map((route) => (
                      <RouteRow
                        key={`${route.host ?? ''} ${route.method} ${route.path} ${route.name}`}
                        route={route}
                      />
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

function RouteRow({ route }: { route: Route }) {
  const { target } = route;
  const weak =
    target.healthy !== undefined && target.endpoints !== undefined && target.healthy < target.endpoints;
  const latency = (ms: number | null | undefined) =>
    ms === null || ms === undefined ? '–' : formatDuration(ms);
  return (
    <tr tabIndex={-1} data-row>
      <td title={route.operationId}>
        <code>
          <span className="faint">{route.method}</span> {route.host}
          {route.path}
        </code>
      </td>
      <td>
        {target.kind === 'stream' ? (
          <Link to={pathTo.stream(target.name)}>{target.name}</Link>
        ) : (
          <Link to={pathTo.resource('Upstream', target.name)}>{target.name}</Link>
        )}{' '}
        {weak && (
          <Badge
            tone={target.healthy === 0 ? 'bad' : 'warn'}
          >{`${target.healthy} of ${target.endpoints} up`}</Badge>
        )}
      </td>
      <td className="soft secondary">{route.authentication ?? '–'}</td>
      <td className="soft secondary">{route.idempotency ?? '–'}</td>
      <td className="number">{formatCompact(route.requestsPerSecond)}</td>
      <td className="number">{formatCount(route.requests)}</td>
      <td className="number soft">{formatCount(route.clientErrors ?? 0)}</td>
      <td className={route.errors > 0 ? 'number bad-text' : 'number soft'}>{formatCount(route.errors)}</td>
      <td className="number soft">{latency(route.p50Ms)}</td>
      <td className="number">{latency(route.p95Ms)}</td>
      <td className="number soft">{latency(route.p99Ms)}</td>
    </tr>
  );
}
