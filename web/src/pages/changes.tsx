// What was changed, by whom, and how to go back.
import { useCallback, useState, type ReactNode } from 'react';
import { api } from '../api/client';
import type { AuditEntry, ChangeSet, Generation, ResourceChange } from '../api/schema';
import { plural } from '../core/numbers';
import { pathTo } from '../core/routes';
import { Difference } from '../ui/code';
import { commands } from '../ui/commands';
import { useLoaded, usePaged } from '../ui/data';
import { announce, Confirm } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Ago, Badge, Clock, Command, Crumb, Empty, More, Show, Tabs, type Tone } from '../ui/parts';
import { goOnClick, Link, navigate, useLocation } from '../ui/router';

export function ChangesPage() {
  const audit = useLocation().query.get('tab') === 'audit';
  return (
    <>
      <div className="page-head">
        <h1>Changes</h1>
      </div>
      <Tabs
        label="Changes"
        tabs={[
          { label: 'Generations', to: '/changes', current: !audit },
          { label: 'Audit trail', to: '/changes?tab=audit', current: audit },
        ]}
      />
      {audit ? <Audit /> : <Generations />}
    </>
  );
}

function Generations() {
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) => api.generations({ cursor, limit: 50 }, signal),
    [],
  );
  const list = usePaged('generations', load, 10_000);
  return (
    <Show loaded={list} label="Loading generations">
      {(generations) => (
        <div className="panel">
          {generations.length === 0 ? (
            <Empty title="Nothing was applied yet" command={commands.applyExample}>
              Each apply makes a numbered generation of the whole estate, and any of them can be made current
              again.
            </Empty>
          ) : (
            <div className="table-scroll">
              <table className="table">
                <thead>
                  <tr>
                    <th>Generation</th>
                    <th>What changed</th>
                    <th className="wide">Why</th>
                    <th>Who</th>
                    <th>When</th>
                  </tr>
                </thead>
                <tbody>
                  {generations.map((one) => (
                    <tr key={one.number} className="go" onClick={goOnClick(pathTo.generation(one.number))}>
                      <td>
                        <Link to={pathTo.generation(one.number)} data-row>
                          {one.number}
                        </Link>{' '}
                        {one.current && <Badge tone="ok">current</Badge>}
                      </td>
                      <td className="soft">{summaryOf(one.summary)}</td>
                      <td className="wide">
                        {one.message ??
                          (one.rollbackOf === undefined ? (
                            <span className="faint">–</span>
                          ) : (
                            `back to generation ${one.rollbackOf}`
                          ))}
                      </td>
                      <td className="soft">{one.actor}</td>
                      <td className="soft">
                        <Ago time={one.createdAt} />
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
  );
}

function summaryOf(summary: Generation['summary']): string {
  if (!summary) return '–';
  const parts = [
    summary.create > 0 && `${summary.create} created`,
    summary.update > 0 && `${summary.update} updated`,
    summary.delete > 0 && `${summary.delete} deleted`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : 'nothing';
}

function Audit() {
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) => api.audit({ cursor, limit: 50 }, signal),
    [],
  );
  const list = usePaged('audit', load, 10_000);
  return (
    <Show loaded={list} label="Loading the audit trail">
      {(entries) => (
        <div className="panel">
          {entries.length === 0 ? (
            <Empty title="The audit trail is empty" command={commands.applyExample}>
              Every change leaves an entry here with who made it, what it was before and after, and a hash
              that covers the entry before it.
            </Empty>
          ) : (
            entries.map((entry) => <AuditItem key={entry.sequence} entry={entry} />)
          )}
          <More list={list} />
        </div>
      )}
    </Show>
  );
}

const tones: Record<string, Tone> = { create: 'ok', update: 'info', delete: 'bad', rollback: 'warn' };

function ActionBadge({ action }: { action: string }) {
  const tone = tones[action] ?? 'plain';
  return <span className={`badge ${tone}`}>{action}</span>;
}

function Expandable({
  when,
  action,
  title,
  side,
  children,
  open,
}: {
  when: ReactNode;
  action: string;
  title: ReactNode;
  side: ReactNode;
  children: ReactNode;
  open?: boolean;
}) {
  const [seen, setSeen] = useState(open ?? false);
  return (
    <details className="change" open={open} onToggle={(event) => event.currentTarget.open && setSeen(true)}>
      <summary data-row>
        <Icon name="chevron" size={12} className="chevron" />
        <span className="soft secondary">{when}</span>
        <span>
          <ActionBadge action={action} />
        </span>
        <span className="break">{title}</span>
        <span className="soft small secondary">{side}</span>
      </summary>
      <div className="change-body">{seen && children}</div>
    </details>
  );
}

function AuditItem({ entry }: { entry: AuditEntry }) {
  const hasDocuments = (entry.before ?? entry.after ?? null) !== null;
  return (
    <Expandable
      when={<Ago time={entry.at} />}
      action={entry.action}
      title={
        <>
          {entry.kind && <span className="soft">{entry.kind} </span>}
          {entry.name}
          {entry.message && (
            <span className="soft">
              {' '}
              {entry.name ? '· ' : ''}
              {entry.message}
            </span>
          )}
        </>
      }
      side={[entry.actor, entry.origin].filter(Boolean).join(' · ')}
    >
      {hasDocuments ? (
        <Difference before={entry.before} after={entry.after} />
      ) : (
        <p className="soft">This action changed no document.</p>
      )}
      <dl className="facts small">
        <dt>When</dt>
        <dd>
          <Clock time={entry.at} />
        </dd>
        <dt>Who</dt>
        <dd>{[entry.actor, entry.origin].filter(Boolean).join(' · ')}</dd>
        {entry.generation !== undefined && (
          <>
            <dt>Generation</dt>
            <dd>
              <Link to={pathTo.generation(entry.generation)}>{entry.generation}</Link>
            </dd>
          </>
        )}
        {entry.traceId && (
          <>
            <dt>Trace</dt>
            <dd>
              <Link to={pathTo.trace(entry.traceId)} className="mono">
                {entry.traceId}
              </Link>
            </dd>
          </>
        )}
        <dt>Entry</dt>
        <dd>{entry.sequence}</dd>
        <dt>Hash</dt>
        <dd className="mono">{entry.hash}</dd>
        <dt>Before it</dt>
        <dd className="mono">{entry.previousHash}</dd>
      </dl>
    </Expandable>
  );
}

export function GenerationPage({ number }: { number: number }) {
  const loaded = useLoaded(`generation ${number}`, (signal) => api.generation(number, signal));
  const [plan, setPlan] = useState<ChangeSet>();
  const [asking, setAsking] = useState(false);
  const generation = loaded.data?.generation;
  return (
    <>
      <div className="page-head">
        <Crumb to="/changes">Changes</Crumb>
        <h1>Generation {number}</h1>
        {generation?.current && <Badge tone="ok">current</Badge>}
        {generation && !generation.current && (
          <button type="button" className="button push" onClick={() => setAsking(true)}>
            Roll back to this …
          </button>
        )}
      </div>
      <Show loaded={loaded} label="Loading the generation">
        {(detail) => (
          <>
            <p className="soft">
              {detail.generation.actor} · <Ago time={detail.generation.createdAt} />
              {detail.generation.message && ` · ${detail.generation.message}`}
              {detail.generation.rollbackOf !== undefined && (
                <>
                  {' · back to '}
                  <Link to={pathTo.generation(detail.generation.rollbackOf)}>
                    generation {detail.generation.rollbackOf}
                  </Link>
                </>
              )}
            </p>
            <ChangeList changes={detail.changes} />
            {!detail.generation.current && <Command text={commands.rollback(number)} />}
          </>
        )}
      </Show>
      {asking && (
        <Confirm
          title={`Roll back to generation ${number}?`}
          action="Roll back"
          ready={plan !== undefined}
          onClose={() => {
            setAsking(false);
            setPlan(undefined);
          }}
          onConfirm={async () => {
            const done = await api.rollback(number, {
              dryRun: false,
              expectedGeneration: plan?.baseGeneration,
            });
            announce(`Rolled back: generation ${done.generation ?? ''} is current.`);
            navigate('/changes');
          }}
        >
          <RollbackPlan number={number} onPlan={setPlan} />
        </Confirm>
      )}
    </>
  );
}

/** Nothing is rolled back unseen: the plan stands in the question. */
function RollbackPlan({ number, onPlan }: { number: number; onPlan: (plan: ChangeSet) => void }) {
  // A remembered plan may be of another day.
  const [key] = useState(() => `rollback ${number} ${Date.now()}`);
  const loaded = useLoaded(key, async () => {
    const plan = await api.rollback(number, { dryRun: true });
    onPlan(plan);
    return plan;
  });
  return (
    <Show loaded={loaded} label="Planning the rollback" rows={3}>
      {(plan) => (
        <div className="stack">
          <p>This makes a new generation: {summaryOf(plan.summary)}.</p>
          <ul>
            {plan.changes.map((change) => (
              <li key={`${change.kind} ${change.name}`}>
                <ActionBadge action={change.action} /> {change.kind} {change.name}
                {(change.breaks ?? []).map((text) => (
                  <div key={text} className="bad-text small">
                    {text}
                  </div>
                ))}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Show>
  );
}

function ChangeList({ changes }: { changes: ResourceChange[] }) {
  if (changes.length === 0)
    return <p className="panel panel-body soft">This generation changed no resource.</p>;
  return (
    <section className="panel" aria-label={plural(changes.length, 'change')}>
      {changes.map((change) => (
        <Expandable
          key={`${change.kind} ${change.name}`}
          open={changes.length <= 3}
          when={change.kind}
          action={change.action}
          title={change.name}
          side=""
        >
          <Difference before={change.before} after={change.after} />
          {change.action !== 'delete' && (
            <span>
              <Link to={pathTo.resource(change.kind, change.name)}>{change.name} as it is now →</Link>
            </span>
          )}
        </Expandable>
      ))}
    </section>
  );
}
