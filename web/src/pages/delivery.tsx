// One delivery: what was sent, each attempt, what the receiver said.
import { useState } from 'react';
import { api } from '../api/client';
import type { Attempt, DeliveryDetail } from '../api/schema';
import { plural } from '../core/numbers';
import { pathTo } from '../core/routes';
import { formatDuration } from '../core/time';
import { BodyText, CopyJson, Headers } from '../ui/code';
import { commands } from '../ui/commands';
import { useLoaded } from '../ui/data';
import { announce, Confirm } from '../ui/dialog';
import { Ago, Badge, Clock, Command, Crumb, Show, Status } from '../ui/parts';
import { Link } from '../ui/router';

export function DeliveryPage({ id }: { id: string }) {
  const loaded = useLoaded(`delivery ${id}`, (signal) => api.delivery(id, signal), 5000);
  const [confirming, setConfirming] = useState(false);
  const delivery = loaded.data?.delivery;
  return (
    <>
      <div className="page-head">
        <Crumb to="/deliveries">Deliveries</Crumb>
        <h1>
          <span className="mono">{id}</span>
        </h1>
        {delivery && <Status value={delivery.status} />}
        {delivery?.status === 'dead' && (
          <button type="button" className="button primary push" onClick={() => setConfirming(true)}>
            Redrive
          </button>
        )}
      </div>
      <Show loaded={loaded} label="Loading the delivery" rows={12}>
        {(detail) => <Detail detail={detail} />}
      </Show>
      {confirming && delivery && (
        <Confirm
          title="Send this event again?"
          action="Redrive"
          onClose={() => setConfirming(false)}
          onConfirm={async () => {
            await api.redrive(id);
            announce(`${id} is on its way again.`);
            loaded.reload();
          }}
        >
          The event goes to <strong>{delivery.subscription}</strong> once more, and to nobody else.
        </Confirm>
      )}
    </>
  );
}

function Detail({ detail }: { detail: DeliveryDetail }) {
  const { delivery, event, attempts } = detail;
  const newest = [...attempts].reverse();
  return (
    <>
      <div className="columns">
        <section className="panel" aria-label="Delivery">
          <dl className="facts panel-body">
            <dt>Subscription</dt>
            <dd>
              <Link to={pathTo.deliveries({ subscription: delivery.subscription })}>
                {delivery.subscription}
              </Link>
            </dd>
            <dt>Record</dt>
            <dd>
              <Link
                to={pathTo.stream(delivery.stream, {
                  mode: 'offset',
                  partition: delivery.partition,
                  offset: delivery.offset,
                })}
              >
                {delivery.stream} {delivery.partition}:{delivery.offset}
              </Link>
            </dd>
            {delivery.eventId && (
              <>
                <dt>Event</dt>
                <dd>
                  <Link
                    to={pathTo.deliveries({ eventId: delivery.eventId })}
                    className="mono"
                    title="All deliveries of this event"
                  >
                    {delivery.eventId}
                  </Link>
                </dd>
              </>
            )}
            {delivery.traceId && (
              <>
                <dt>Trace</dt>
                <dd>
                  <Link to={pathTo.trace(delivery.traceId)} className="mono">
                    {delivery.traceId}
                  </Link>
                </dd>
              </>
            )}
            <dt>Stored</dt>
            <dd>
              <Clock time={delivery.createdAt} />{' '}
              <span className="faint">
                (<Ago time={delivery.createdAt} />)
              </span>
            </dd>
            {delivery.status === 'failing' && delivery.nextAttemptAt && (
              <>
                <dt>Next attempt</dt>
                <dd>
                  <Ago time={delivery.nextAttemptAt} />
                </dd>
              </>
            )}
            {delivery.deadReason && (
              <>
                <dt>Given up</dt>
                <dd className="bad-text">{delivery.deadReason}</dd>
              </>
            )}
          </dl>
          {delivery.status === 'dead' && (
            <div className="panel-body">
              <Command text={commands.redrive(delivery.id)} />
            </div>
          )}
        </section>
        <section className="panel" aria-label="Event">
          <div className="panel-head">
            <h2>Event</h2>
            {event?.valueText && (
              <span className="push">
                <CopyJson text={event.valueText} />
              </span>
            )}
          </div>
          <div className="panel-body event-body">
            {event ? (
              <BodyText text={event.valueText ?? event.valueBase64} cut={event.valueCut} />
            ) : (
              <p className="soft">
                The stream no longer keeps this record; each attempt below shows what was sent.
              </p>
            )}
          </div>
        </section>
      </div>
      <h2>{attempts.length === 0 ? 'No attempt yet' : plural(attempts.length, 'attempt')}</h2>
      <div className="stack">
        {newest.map((attempt, at) => (
          <AttemptView key={attempt.number} attempt={attempt} open={at === 0} stored={event?.valueText} />
        ))}
      </div>
    </>
  );
}

function AttemptView({
  attempt,
  open,
  stored,
}: {
  attempt: Attempt;
  open: boolean;
  stored: string | undefined;
}) {
  const answer = attempt.response ? `HTTP ${attempt.response.status}` : (attempt.error ?? 'no answer');
  return (
    <details className="attempt" open={open}>
      <summary data-row>
        <strong>#{attempt.number}</strong>
        {attempt.outcome === 'delivered' ? (
          <Badge tone="ok">{answer}</Badge>
        ) : (
          <Badge tone="bad">{answer}</Badge>
        )}
        <span className="soft">
          <Clock time={attempt.startedAt} /> · {formatDuration(attempt.durationMs)}
        </span>
        {attempt.nextAttemptAt && (
          <span className="faint small push">next attempt planned {waitOf(attempt)} later</span>
        )}
      </summary>
      <div className="exchange">
        <section aria-label="Request">
          <h3>Request</h3>
          <code className="break">
            {attempt.request.method} {attempt.request.url}
          </code>
          <Headers headers={attempt.request.headers} />
          {stored !== undefined && attempt.request.body === stored ? (
            <p className="soft">Body: the event above, byte for byte.</p>
          ) : (
            <BodyText text={attempt.request.body} cut={attempt.request.bodyCut} />
          )}
        </section>
        <section aria-label="Response">
          <h3>Response</h3>
          {attempt.response ? (
            <>
              <code>HTTP {attempt.response.status}</code>
              <Headers headers={attempt.response.headers} />
              <BodyText text={attempt.response.body} cut={attempt.response.bodyCut} />
            </>
          ) : (
            <p className="bad-text">{attempt.error ?? 'There was no answer.'}</p>
          )}
        </section>
      </div>
    </details>
  );
}

function waitOf(attempt: Attempt): string {
  const end = Date.parse(attempt.startedAt) + attempt.durationMs;
  return formatDuration(Math.max(0, Date.parse(attempt.nextAttemptAt!) - end));
}
