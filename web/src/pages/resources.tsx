// Everything that is declared, by kind; one resource as YAML or JSON.
import { useCallback } from 'react';
import { api } from '../api/client';
import type { ResourceDetail } from '../api/schema';
import { exactJson } from '../core/json_text';
import { formatCount } from '../core/numbers';
import { pathTo, withQuery } from '../core/routes';
import { toYaml } from '../core/yaml_text';
import { JsonText, RawText, YamlText } from '../ui/code';
import { commands } from '../ui/commands';
import { useLoaded, usePaged } from '../ui/data';
import { Ago, CopyButton, Crumb, Empty, More, Segments, Show, Status } from '../ui/parts';
import { goOnClick, Link, setQuery, useLocation } from '../ui/router';

export function ResourcesPage() {
  const kind = useLocation().query.get('kind') ?? '';
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) =>
      api.resources({ cursor, limit: 100, kind: kind || undefined }, signal),
    [kind],
  );
  const list = usePaged(`resources ${kind}`, load, 15_000);
  const kinds = list.first?.kinds ?? [];
  const total = kinds.reduce((sum, one) => sum + one.count, 0);
  return (
    <>
      <div className="page-head">
        <h1>Resources</h1>
      </div>
      <nav className="kinds" aria-label="Kinds">
        <Link to="/resources" aria-current={kind === ''}>
          All <span className="faint">{formatCount(total)}</span>
        </Link>
        {kinds.map((one) => (
          <Link
            key={one.kind}
            to={withQuery('/resources', { kind: one.kind })}
            aria-current={kind === one.kind}
          >
            {one.kind} <span className="faint">{formatCount(one.count)}</span>
          </Link>
        ))}
      </nav>
      <Show loaded={list} label="Loading resources" rows={10}>
        {(resources) => (
          <div className="panel">
            {resources.length === 0 ? (
              <Empty
                title={kind ? `There is no ${kind}` : 'Nothing is declared yet'}
                command={commands.applyExample}
              >
                An estate is a folder of YAML documents. Look at what an apply would do with{' '}
                <code>weft plan</code>, then apply it.
              </Empty>
            ) : (
              <div className="table-scroll">
                <table className="table">
                  <thead>
                    <tr>
                      <th>Name</th>
                      <th>Kind</th>
                      <th>Owner</th>
                      <th>State</th>
                      <th className="secondary">Labels</th>
                      <th className="number">Generation</th>
                      <th className="secondary">Changed</th>
                    </tr>
                  </thead>
                  <tbody>
                    {resources.map((one) => (
                      <tr
                        key={`${one.kind} ${one.name}`}
                        className="go"
                        onClick={goOnClick(pathTo.resource(one.kind, one.name))}
                      >
                        <td>
                          <Link to={pathTo.resource(one.kind, one.name)} data-row>
                            {one.name}
                          </Link>
                        </td>
                        <td className="soft">{one.kind}</td>
                        <td className="soft">{one.owner || '–'}</td>
                        <td title={one.status?.message}>
                          {one.status ? (
                            <Status value={one.status.state} />
                          ) : (
                            <span className="faint">–</span>
                          )}
                        </td>
                        <td className="soft small secondary">
                          {Object.entries(one.labels ?? {})
                            .map(([name, value]) => `${name}: ${value}`)
                            .join(', ')}
                        </td>
                        <td className="number">
                          <Link to={pathTo.generation(one.generation)}>{one.generation}</Link>
                        </td>
                        <td className="soft secondary">
                          <Ago time={one.updatedAt} />
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

export function ResourcePage({ kind, name }: { kind: string; name: string }) {
  const loaded = useLoaded(`resource ${kind} ${name}`, (signal) => api.resource(kind, name, signal));
  return (
    <>
      <div className="page-head">
        <Crumb to={withQuery('/resources', { kind })}>{kind}</Crumb>
        <h1>{name}</h1>
        {loaded.data?.resource.status && <Status value={loaded.data.resource.status.state} />}
        {kind === 'Stream' && (
          <Link to={pathTo.stream(name)} className="push">
            Open the stream →
          </Link>
        )}
        {kind === 'Subscription' && (
          <Link to={pathTo.deliveries({ subscription: name })} className="push">
            Its deliveries →
          </Link>
        )}
      </div>
      <Show loaded={loaded} label="Loading the resource" rows={12}>
        {(detail) => <Detail detail={detail} />}
      </Show>
    </>
  );
}

function Detail({ detail }: { detail: ResourceDetail }) {
  const view = useLocation().query.get('view') ?? 'yaml';
  const { resource, document, usedBy = [] } = detail;
  const options = [
    { value: 'yaml', label: 'YAML' },
    { value: 'json', label: 'JSON' },
    ...(detail.sourceText ? [{ value: 'source', label: 'As written' }] : []),
  ];
  const text =
    view === 'json'
      ? exactJson(document)
      : view === 'source'
        ? (detail.sourceText ?? '')
        : toYaml(document).join('\n');
  return (
    <div className="split">
      <section className="panel" aria-label="Document">
        <div className="panel-head">
          <Segments
            label="View"
            value={view}
            options={options}
            onChange={(value) => setQuery({ view: value === 'yaml' ? undefined : value })}
          />
          <span className="push">
            <CopyButton text={text} />
          </span>
        </div>
        <div className="panel-body">
          {view === 'json' ? (
            <JsonText text={text} />
          ) : view === 'source' ? (
            <RawText text={text} />
          ) : (
            <YamlText value={document} />
          )}
        </div>
      </section>
      <section className="panel" aria-label="About it">
        <div className="inspector">
          {resource.status?.message && (
            <p className={resource.status.state === 'failed' ? 'bad-text' : 'soft'}>
              {resource.status.message}
            </p>
          )}
          <dl className="facts">
            <dt>Owner</dt>
            <dd>{resource.owner || '–'}</dd>
            {resource.tenant && (
              <>
                <dt>Tenant</dt>
                <dd>{resource.tenant}</dd>
              </>
            )}
            <dt>Changed by</dt>
            <dd>
              <Link to={pathTo.generation(resource.generation)}>generation {resource.generation}</Link>
              {resource.updatedAt && (
                <span className="soft">
                  {' '}
                  · <Ago time={resource.updatedAt} />
                </span>
              )}
            </dd>
            {resource.managedBy && (
              <>
                <dt>Managed by</dt>
                <dd>{resource.managedBy}</dd>
              </>
            )}
            {Object.entries(resource.labels ?? {}).map(([label, value]) => (
              <div key={label} style={{ display: 'contents' }}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <div className="stack">
            <h3>Used by</h3>
            {usedBy.length === 0 ? (
              <p className="faint">No other resource names it.</p>
            ) : (
              <ul className="in-text">
                {usedBy.map((one) => (
                  <li key={`${one.kind} ${one.name}`}>
                    <span className="faint">{one.kind}</span>{' '}
                    <Link to={pathTo.resource(one.kind, one.name)}>{one.name}</Link>
                  </li>
                ))}
              </ul>
            )}
          </div>
        </div>
      </section>
    </div>
  );
}
