// What a stream is set to, with what that does.
import { api } from '../api/client';
import type { StreamDetail } from '../api/schema';
import { pathTo } from '../core/routes';
import { settingsOf } from '../core/stream_settings';
import { useLoaded } from '../ui/data';
import { Show } from '../ui/parts';
import { Link } from '../ui/router';

export function StreamSettings({
  detail,
  quarantineOf,
}: {
  detail: StreamDetail;
  quarantineOf: string | undefined;
}) {
  const { name } = detail.stream;
  const declared = useLoaded(`resource Stream ${name}`, (signal) => api.resource('Stream', name, signal));
  // Streams that Weft makes itself have no document.
  const isUndeclared = declared.error?.status === 404;
  if (isUndeclared) return <Table detail={detail} quarantineOf={quarantineOf} />;
  return (
    <Show loaded={declared} label="Loading the settings">
      {(data) => <Table detail={detail} document={data.document} />}
    </Show>
  );
}

function Table({
  detail,
  document,
  quarantineOf,
}: {
  detail: StreamDetail;
  document?: Record<string, unknown>;
  quarantineOf?: string | undefined;
}) {
  const { name } = detail.stream;
  const owner = quarantineOf ?? (document ? name : undefined);
  return (
    <section className="panel" aria-labelledby="settings">
      <div className="panel-head">
        <h2 id="settings">Settings</h2>
        <span className="soft small in-text">
          {owner === undefined ? (
            'Weft itself keeps this stream.'
          ) : (
            <>
              Changed in the document of{' '}
              <Link to={pathTo.resource('Stream', owner)}>{owner === name ? 'this stream' : owner}</Link>,
              then applied.
            </>
          )}
        </span>
      </div>
      <dl className="settings">
        {settingsOf(detail.stream, document).map((one) => (
          <div key={one.name}>
            <dt>{one.name}</dt>
            <dd className="mono">{one.value}</dd>
            <dd className="soft">{one.effect}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
