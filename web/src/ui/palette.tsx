// Ctrl+K: go anywhere by name. A combobox with a list, as the ARIA practices describe it.
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { api } from '../api/client';
import { bestMatches } from '../core/match';
import { pathTo, withQuery } from '../core/routes';
import { useLoaded } from './data';
import { Dialog } from './dialog';
import { navigate } from './router';

type Entry = { kind: string; label: string; run: () => void };

type Props = {
  places: { label: string; to: string }[];
  onTheme: () => void;
  onSignOut: () => void;
  onHelp: () => void;
  onClose: () => void;
};

const kShown = 40;

async function loadNames(signal: AbortSignal) {
  const [streams, groups, subscriptions, resources] = await Promise.all([
    api.streams({ limit: 200 }, signal),
    api.groups({ limit: 200 }, signal),
    api.subscriptions({ limit: 200 }, signal),
    api.resources({ limit: 500 }, signal),
  ]);
  return {
    streams: streams.items,
    groups: groups.items,
    subscriptions: subscriptions.items,
    resources: resources.items,
  };
}

export function Palette({ places, onTheme, onSignOut, onHelp, onClose }: Props) {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const names = useLoaded('palette', loadNames).data;
  const list = useRef<HTMLUListElement>(null);

  const entries = useMemo<Entry[]>(() => {
    const go = (to: string) => () => navigate(to);
    return [
      ...places.map((place) => ({ kind: 'Page', label: place.label, run: go(place.to) })),
      ...(names?.streams ?? []).map((one) => ({
        kind: 'Stream',
        label: one.name,
        run: go(pathTo.stream(one.name)),
      })),
      ...(names?.groups ?? []).map((one) => ({
        kind: 'Group',
        label: one.group,
        run: go(pathTo.group(one.group)),
      })),
      ...(names?.subscriptions ?? []).map((one) => ({
        kind: 'Subscription',
        label: one.name,
        run: go(pathTo.deliveries({ subscription: one.name })),
      })),
      ...(names?.resources ?? []).map((one) => ({
        kind: 'Resource',
        label: `${one.kind} ${one.name}`,
        run: go(pathTo.resource(one.kind, one.name)),
      })),
      { kind: 'View', label: 'Dead letters', run: go(pathTo.deliveries({ status: 'dead' })) },
      { kind: 'View', label: 'Failed traces', run: go('/traces?errorsOnly=true') },
      { kind: 'View', label: 'Audit trail', run: go('/changes?tab=audit') },
      { kind: 'Action', label: 'Change theme', run: onTheme },
      { kind: 'Action', label: 'Keyboard shortcuts', run: onHelp },
      { kind: 'Action', label: 'Sign out', run: onSignOut },
    ];
  }, [places, names, onTheme, onHelp, onSignOut]);

  const hits = useMemo(
    () => [
      ...traceOf(query),
      ...bestMatches(query, entries, (entry) => entry.label, kShown),
      ...searchFor(query),
    ],
    [query, entries],
  );
  const selected = Math.min(at, hits.length - 1);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [selected]);

  const pick = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && hits.length > 0) {
      event.preventDefault();
      setAt((selected + step + hits.length) % hits.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      pick(hits[selected]);
    }
  };

  return (
    <Dialog label="Search and commands" className="palette" onClose={onClose}>
      <input
        autoFocus
        role="combobox"
        aria-label="Search pages, streams, resources, a trace id or a delivery id"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={selected >= 0 ? `palette-${selected}` : undefined}
        placeholder="Page, stream, resource, trace id …"
        value={query}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      {hits.length === 0 ? (
        <p className="none">Nothing has that name.</p>
      ) : (
        <ul id="palette-list" role="listbox" aria-label="Matches" ref={list}>
          {hits.map((entry, n) => (
            <li
              key={`${entry.kind} ${entry.label}`}
              id={`palette-${n}`}
              role="option"
              aria-selected={n === selected}
              onMouseMove={() => setAt(n)}
              onClick={() => pick(entry)}
            >
              <span className="kind">{entry.kind}</span>
              <span className="cut">{entry.label}</span>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

/** A trace id can be opened without knowing a name. */
function traceOf(query: string): Entry[] {
  const text = query.trim().toLowerCase();
  return /^[0-9a-f]{32}$/.test(text)
    ? [{ kind: 'Trace', label: text, run: () => navigate(pathTo.trace(text)) }]
    : [];
}

/** Whatever it is, a trace may hold it: an order number, a status code. */
function searchFor(query: string): Entry[] {
  const text = query.trim();
  if (text.length < 3) return [];
  return [
    {
      kind: 'Search',
      label: `Traces with “${text}”`,
      run: () => navigate(withQuery('/traces', { q: text })),
    },
  ];
}
