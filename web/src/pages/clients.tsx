// Client applications and their API keys. A new key is shown once.
import { useCallback, useState } from 'react';
import { api } from '../api/client';
import type { Client, ClientKey, NewClientKey } from '../api/schema';
import { plural } from '../core/numbers';
import { commands } from '../ui/commands';
import { usePaged } from '../ui/data';
import { announce, Confirm, Dialog } from '../ui/dialog';
import { Ago, Badge, CopyButton, Empty, More, Show } from '../ui/parts';

type Asking = { client: string; revoke?: ClientKey };

export function ClientsPage() {
  const load = useCallback(
    (cursor?: string, signal?: AbortSignal) => api.clients({ cursor, limit: 100 }, signal),
    [],
  );
  const list = usePaged('clients', load, 15_000);
  const [asking, setAsking] = useState<Asking>();
  const [made, setMade] = useState<NewClientKey>();
  const [note, setNote] = useState('');
  return (
    <>
      <div className="page-head">
        <h1>Clients</h1>
      </div>
      <Show loaded={list} label="Loading clients">
        {(clients) =>
          clients.length === 0 ? (
            <div className="panel">
              <Empty title="There is no client yet" command={commands.applyExample}>
                A client is an application that calls the gateway or reads streams. It is declared in the
                estate; its keys are made here.
              </Empty>
            </div>
          ) : (
            <div className="stack">
              {clients.map((client) => (
                <ClientPanel
                  key={client.name}
                  client={client}
                  onNew={() => setAsking({ client: client.name })}
                  onRevoke={(revoke) => setAsking({ client: client.name, revoke })}
                />
              ))}
              <More list={list} />
            </div>
          )
        }
      </Show>
      {asking && !asking.revoke && (
        <Confirm
          title={`New key for ${asking.client}`}
          action="Make key"
          onClose={() => setAsking(undefined)}
          onConfirm={async () => {
            setMade(await api.createKey(asking.client, note.trim()));
            setNote('');
            list.reload();
          }}
        >
          <label className="label">
            Note, so that it can be told apart later
            <input
              className="field"
              maxLength={200}
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
          </label>
        </Confirm>
      )}
      {asking?.revoke && (
        <Confirm
          title={`Revoke ${asking.revoke.prefix}…?`}
          action="Revoke"
          onClose={() => setAsking(undefined)}
          onConfirm={async () => {
            await api.deleteKey(asking.client, asking.revoke!.id);
            announce(`Key ${asking.revoke!.prefix}… is revoked.`);
            list.reload();
          }}
        >
          Requests of {asking.client} with this key are refused from now on. This cannot be undone.
        </Confirm>
      )}
      {made && (
        <Dialog label="The new key" onClose={() => setMade(undefined)}>
          <div className="dialog-body">
            <h2>The new key</h2>
            <p className="soft">Keep it now: Weft stores only a keyed hash and cannot show it again.</p>
            <div className="secret">{made.key}</div>
            <span>
              <CopyButton text={made.key} label="Copy key" />
            </span>
          </div>
          <div className="dialog-actions">
            <button type="button" className="button primary" onClick={() => setMade(undefined)}>
              I have it
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function ClientPanel({
  client,
  onNew,
  onRevoke,
}: {
  client: Client;
  onNew: () => void;
  onRevoke: (key: ClientKey) => void;
}) {
  return (
    <section className="panel" aria-label={client.name}>
      <div className="panel-head">
        <h2>{client.name}</h2>
        {client.owner && <span className="soft">{client.owner}</span>}
        {(client.grants ?? []).map((grant) => (
          <Badge key={grant} tone="plain">
            {grant}
          </Badge>
        ))}
        <button type="button" className="button small push" onClick={onNew}>
          New key
        </button>
      </div>
      {client.keys.length === 0 ? (
        <p className="panel-body soft">
          {(client.declaredKeys ?? 0) > 0
            ? `Its document names ${plural(client.declaredKeys ?? 0, 'key')}; none was made here.`
            : 'It has no key, so it cannot call anything yet.'}
        </p>
      ) : (
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th>Key</th>
                <th className="wide secondary">Note</th>
                <th className="secondary">Made</th>
                <th>Last used</th>
                <th>Expires</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {client.keys.map((key) => (
                <tr key={key.id}>
                  <td className="mono">{key.prefix}…</td>
                  <td className="wide soft secondary">{key.note ?? '–'}</td>
                  <td className="soft secondary">
                    <Ago time={key.createdAt} />
                  </td>
                  <td className="soft">
                    <Ago time={key.lastUsedAt} missing="never" />
                  </td>
                  <td className="soft">
                    <Ago time={key.expiresAt} missing="never" />
                  </td>
                  <td className="number">
                    <button type="button" className="button small danger" onClick={() => onRevoke(key)}>
                      Revoke
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
