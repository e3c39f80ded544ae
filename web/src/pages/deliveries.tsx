// Who is sent what, and how it goes: subscriptions above, single deliveries below.
import { useCallback, useState } from 'react';
import { api } from '../api/client';
import type { Delivery, Subscription } from '../api/schema';
import { formatCompact, formatCount, formatShare, plural } from '../core/numbers';
import { pathTo } from '../core/routes';
import { commands } from '../ui/commands';
import { usePaged } from '../ui/data';
import { announce, Confirm } from '../ui/dialog';
import { Ago, Empty, More, Segments, Show, Status } from '../ui/parts';
import { goOnClick, Link, setQuery, useLocation } from '../ui/router';

const statusOptions = [
  { value: '', label: 'All' },
  { value: 'pending', label: 'Pending' },
  { value: 'failing', label: 'Failing' },
  { value: 'dead', label: 'Dead' },
  { value: 'delivered', label: 'Delivered' },
];

export function DeliveriesPage() {
  const { query } = useLocation();
  const subscription = query.get('subscription') ?? '';
  const [redriving, setRedriving] = useState<Subscription>();
  const loadSubscriptions = useCallback(
    (cursor?: string, signal?: AbortSignal) => api.subscriptions({ cursor, limit: 100 }, signal),
    [],
  );
  const subscriptions = usePaged('subscriptions', loadSubscriptions, 5000);
  return (
    <>
      <div className="page-head">
        <h1>Deliveries</h1>
      </div>
      <Show loaded={subscriptions} label="Loading subscriptions" rows={3}>
        {(list) => (
          <section className="panel" aria-label="Subscriptions">
            {list.length === 0 ? (
              <Empty title="There is no subscription yet" command={commands.demo}>
                A subscription sends the events of a stream to a URL, signed, until the receiver takes them. It
                is a document of kind <code>Subscription</code>. The demo, in a Weft of its own, has one at
                work.
              </Empty>
            ) : (
              <SubscriptionTable list={list} selected={subscription} onRedrive={setRedriving} />
            )}
            <More list={subscriptions} />
          </section>
        )}
      </Show>
      {subscriptions.data && subscriptions.data.length > 0 && (
        <DeliveryList subscriptions={subscriptions.data} />
      )}
      {redriving && (
        <Confirm
          title={`Redrive all dead letters of ${redriving.name}?`}
          action={`Redrive ${plural(redriving.dead, 'delivery', 'deliveries')}`}
          onClose={() => setRedriving(undefined)}
          onConfirm={async () => {
            const { redriven } = await api.redriveAll(redriving.name);
            announce(`${plural(redriven, 'delivery', 'deliveries')} of ${redriving.name} sent again.`);
            subscriptions.reload();
          }}
        >
          {plural(redriving.dead, 'event')} will be sent again to{' '}
          <code className="break">{redriving.url}</code>, with a fresh count of attempts. The receiver may
          have seen some of them: deliveries are at least once.
        </Confirm>
      )}
    </>
  );
}

type TableProps = { list: Subscription[]; selected: string; onRedrive: (subscription: Subscription) => void };

function SubscriptionTable({ list, selected, onRedrive }: TableProps) {
  return (
    <div className="table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>Subscription</th>
            <th>Status</th>
            <th className="secondary">Stream</th>
            <th className="secondary tertiary">Receiver</th>
            <th className="number secondary">Success</th>
            <th className="number secondary">Pending</th>
            <th className="number">Failing</th>
            <th className="number">Dead</th>
            <th className="secondary">Last success</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {list.map((one) => (
            <SubscriptionRow
              key={one.name}
              one={one}
              selected={one.name === selected}
              onRedrive={onRedrive}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SubscriptionRow({
  one,
  selected,
  onRedrive,
}: {
  one: Subscription;
  selected: boolean;
  onRedrive: TableProps['onRedrive'];
}) {
  const count = (value: number, tone: string, more = '') => (
    <td className={`number ${value > 0 ? tone : 'faint'} ${more}`}>{formatCount(value)}</td>
  );
  return (
    <tr aria-current={selected}>
      <td>
        <Link
          to={selected ? '/deliveries' : pathTo.deliveries({ subscription: one.name })}
          title={selected ? 'Show all deliveries' : 'Show its deliveries'}
        >
          {one.name}
        </Link>
      </td>
      <td title={one.statusReason}>
        <Status value={one.status} />
      </td>
      <td className="secondary capped">
        <Link to={pathTo.stream(one.stream)}>{one.stream}</Link>
      </td>
      <td className="soft mono secondary tertiary capped" title={one.url}>
        {one.url}
      </td>
      <td className="number secondary">
        {one.successRate === null || one.successRate === undefined ? '–' : formatShare(one.successRate)}
      </td>
      {count(one.pending, '', 'secondary')}
      {count(one.failing, 'warn-text')}
      {count(one.dead, 'bad-text')}
      <td className="soft secondary">
        <Ago time={one.lastSuccessAt} missing="never" />
      </td>
      <td className="number">
        {one.dead > 0 && (
          <button
            type="button"
            className="button small"
            onClick={() => onRedrive(one)}
            disabled={one.status === 'disabled'}
          >
            Redrive {formatCompact(one.dead)}
          </button>
        )}
      </td>
    </tr>
  );
}

function DeliveryList({ subscriptions }: { subscriptions: Subscription[] }) {
  const { query } = useLocation();
  const subscription = query.get('subscription') ?? '';
  const status = query.get('status') ?? '';
  const eventId = query.get('eventId') ?? '';
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) =>
      api.deliveries(
        {
          cursor,
          limit: 50,
          subscription: subscription || undefined,
          status: status || undefined,
          eventId: eventId || undefined,
        },
        signal,
      ),
    [subscription, status, eventId],
  );
  const list = usePaged(`deliveries ${subscription} ${status} ${eventId}`, load, 5000);
  const chosen = subscriptions.find((one) => one.name === subscription);
  return (
    <>
      {chosen?.status === 'disabled' && (
        <div className="notice" role="status">
          <span>
            <strong>{chosen.name}</strong> is disabled: {chosen.statusReason ?? 'no reason was given'}. Mend
            its receiver or its URL, then apply the estate again.
          </span>
          <code className="push">{commands.apply}</code>
        </div>
      )}
      <div className="bar">
        <label className="inline-label">
          <span className="visually-hidden">Subscription</span>
          <select
            className="field"
            data-filter
            value={subscription}
            onChange={(event) => setQuery({ subscription: event.target.value })}
          >
            <option value="">All subscriptions</option>
            {subscriptions.map((one) => (
              <option key={one.name}>{one.name}</option>
            ))}
          </select>
        </label>
        <Segments
          label="Status"
          value={status}
          options={statusOptions}
          onChange={(value) => setQuery({ status: value })}
        />
        {eventId && (
          <button type="button" className="button small" onClick={() => setQuery({ eventId: undefined })}>
            Event {eventId} ✕
          </button>
        )}
      </div>
      <Show loaded={list} label="Loading deliveries" rows={10}>
        {(deliveries) => (
          <section className="panel" aria-label="Deliveries">
            {deliveries.length === 0 ? (
              <NoDelivery
                status={status}
                subscription={chosen}
                filtered={subscription !== '' || eventId !== ''}
              />
            ) : (
              <DeliveryTable list={deliveries} />
            )}
            <More list={list} />
          </section>
        )}
      </Show>
    </>
  );
}

function NoDelivery({
  status,
  subscription,
  filtered,
}: {
  status: string;
  subscription: Subscription | undefined;
  filtered: boolean;
}) {
  if (status === 'dead')
    return (
      <Empty title="No dead letters">
        Every event {subscription ? `for ${subscription.name} ` : ''}was delivered, or is still being tried.
      </Empty>
    );
  if (status === 'failing')
    return <Empty title="Nothing is failing">No delivery waits for another attempt.</Empty>;
  if (status !== '' || filtered) {
    return (
      <Empty title="No delivery fits this filter">
        Delivered events are listed as far back as the journal of attempts is kept. Choose another status, or
        all of them.
      </Empty>
    );
  }
  return (
    <Empty title="Nothing was delivered yet" command={commands.produce('orders.order.created.v1')}>
      As soon as an event is stored in a stream with a subscription, it is sent. Produce one:
    </Empty>
  );
}

export function DeliveryTable({ list }: { list: Delivery[] }) {
  return (
    <div className="table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>Delivery</th>
            <th>Status</th>
            <th className="secondary">Event type</th>
            <th className="number secondary">Attempts</th>
            <th>Last answer</th>
            <th>Last attempt</th>
            <th className="secondary">Next</th>
            <th className="secondary">Trace</th>
          </tr>
        </thead>
        <tbody>
          {list.map((one) => (
            <tr key={one.id} className="go" onClick={goOnClick(pathTo.delivery(one.id))}>
              <td>
                <Link to={pathTo.delivery(one.id)} className="mono" data-row>
                  {one.id}
                </Link>
              </td>
              <td>
                <Status value={one.status} />
              </td>
              <td className="soft secondary">{one.eventType ?? '–'}</td>
              <td className="number secondary">{one.attempts}</td>
              <td className={one.lastError ? 'bad-text' : 'soft'} title={one.lastError}>
                {one.lastStatus ? `HTTP ${one.lastStatus}` : (one.lastError ?? '–')}
              </td>
              <td className="soft">
                <Ago time={one.lastAttemptAt} missing="none yet" />
              </td>
              <td className="soft secondary">
                {one.nextAttemptAt && one.status !== 'delivered' ? <Ago time={one.nextAttemptAt} /> : ''}
              </td>
              <td className="secondary">
                {one.traceId && (
                  <Link to={pathTo.trace(one.traceId)} className="mono">
                    {one.traceId.slice(0, 8)}
                  </Link>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
