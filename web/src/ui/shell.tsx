// The frame: navigation, state of the node, palette, shortcuts.
import { useEffect, useMemo, useState, type ReactNode } from 'react';
import { api } from '../api/client';
import type { Session } from '../api/schema';
import type { Page } from '../core/routes';
import { formatDuration } from '../core/time';
import { useLoaded } from './data';
import { Dialog, Toasts } from './dialog';
import { Icon, type IconName } from './icons';
import { focusFilter, moveRow, useShortcuts, type Shortcut } from './keys';
import { Palette } from './palette';
import { Link, navigate } from './router';
import { Status } from './parts';
import { useTheme } from './theme';

type Place = { label: string; to: string; icon: IconName; key: string; pages: Page['page'][] };

const places: Place[][] = [
  [
    { label: 'Overview', to: '/', icon: 'overview', key: 'o', pages: ['overview'] },
    { label: 'Streams', to: '/streams', icon: 'streams', key: 's', pages: ['streams', 'stream'] },
    { label: 'Groups', to: '/groups', icon: 'groups', key: 'g', pages: ['groups', 'group'] },
    {
      label: 'Deliveries',
      to: '/deliveries',
      icon: 'deliveries',
      key: 'd',
      pages: ['deliveries', 'delivery'],
    },
    { label: 'Traces', to: '/traces', icon: 'traces', key: 't', pages: ['traces', 'trace'] },
  ],
  [
    { label: 'Routes', to: '/routes', icon: 'routes', key: 'r', pages: ['routes'] },
    { label: 'Resources', to: '/resources', icon: 'resources', key: 'e', pages: ['resources', 'resource'] },
    { label: 'Changes', to: '/changes', icon: 'changes', key: 'c', pages: ['changes', 'generation'] },
    { label: 'Clients', to: '/clients', icon: 'clients', key: 'k', pages: ['clients'] },
  ],
];

const themeWords = { system: 'System theme', light: 'Light theme', dark: 'Dark theme' };

export function Shell({
  session,
  page,
  onLeave,
  children,
}: {
  session: Session;
  page: Page;
  onLeave: () => void;
  children: ReactNode;
}) {
  const [open, setOpen] = useState<'palette' | 'help'>();
  const { theme, next } = useTheme();
  const place = places.flat().find((one) => one.pages.includes(page.page));

  useEffect(() => {
    const detail =
      'name' in page ? page.name : 'id' in page ? page.id : 'traceId' in page ? page.traceId : '';
    document.title = [detail, place?.label ?? 'Not found', 'Weft'].filter(Boolean).join(' · ');
  }, [page, place]);

  // On a narrow screen the navigation scrolls sideways.
  useEffect(() => {
    document
      .querySelector('.side nav [aria-current="page"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [place]);

  const signOut = () => {
    api.signOut().then(onLeave, onLeave);
  };

  const shortcuts = useMemo<Shortcut[]>(
    () => [
      ...places.flat().map((one) => ({ keys: `g ${one.key}`, what: one.label, run: () => navigate(one.to) })),
      { keys: 'j', what: 'Next row', run: () => moveRow(1) },
      { keys: 'k', what: 'Previous row', run: () => moveRow(-1) },
      { keys: '/', what: 'Go to the filter', run: focusFilter },
      { keys: '?', what: 'This list', run: () => setOpen('help') },
    ],
    [],
  );
  useShortcuts(shortcuts);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      setOpen((was) => (was === 'palette' ? undefined : 'palette'));
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="side">
        <Link to="/" className="brand" aria-label="Weft, overview">
          <img src="/weft.svg" width="20" height="20" alt="" />
          <span>Weft</span>
        </Link>
        <nav aria-label="Pages">
          {places.map((group, at) => (
            <ul key={at}>
              {group.map((one) => (
                <li key={one.to}>
                  <Link to={one.to} aria-current={one === place ? 'page' : undefined}>
                    <Icon name={one.icon} />
                    {one.label}
                  </Link>
                </li>
              ))}
            </ul>
          ))}
        </nav>
        <div className="side-foot">
          <button
            type="button"
            className="button quiet"
            onClick={() => setOpen('palette')}
            aria-keyshortcuts="Control+K"
          >
            <Icon name="search" />
            <span className="wide-only">Search</span>
            <kbd>Ctrl K</kbd>
          </button>
          <button
            type="button"
            className="button quiet"
            onClick={next}
            aria-label={`${themeWords[theme]}, change`}
            title={themeWords[theme]}
          >
            <Icon name="theme" />
            <span className="wide-only">{themeWords[theme]}</span>
          </button>
          <button type="button" className="button quiet wide-only" onClick={() => setOpen('help')}>
            <Icon name="help" />
            Shortcuts
            <kbd>?</kbd>
          </button>
          <button
            type="button"
            className="button quiet"
            onClick={signOut}
            title={`Signed in as ${session.principal}`}
          >
            <Icon name="leave" />
            <span className="wide-only">Sign out</span>
          </button>
          <NodeState />
        </div>
      </header>
      <main
        id="main"
        className={page.page === 'stream' || page.page === 'trace' ? 'main fill' : 'main'}
        tabIndex={-1}
      >
        {children}
      </main>
      {open === 'palette' && (
        <Palette
          places={places.flat()}
          onTheme={next}
          onSignOut={signOut}
          onHelp={() => setOpen('help')}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === 'help' && <Help shortcuts={shortcuts} onClose={() => setOpen(undefined)} />}
      <Toasts />
    </div>
  );
}

function NodeState() {
  const health = useLoaded('health', api.health, 10_000);
  if (health.error) {
    return (
      <div className="node" title={health.error.message}>
        <Status value="fail" label="no answer" />
      </div>
    );
  }
  if (!health.data) return <div className="node">&nbsp;</div>;
  return (
    <div className="node" title={`Up for ${formatDuration(health.data.uptimeSeconds * 1000)}`}>
      <Status
        value={health.data.status}
        label={{ pass: 'healthy', warn: 'warning', fail: 'failing' }[health.data.status]}
      />
      <span className="cut">{health.data.version}</span>
    </div>
  );
}

function Help({ shortcuts, onClose }: { shortcuts: Shortcut[]; onClose: () => void }) {
  const all = [
    { keys: 'Ctrl K', what: 'Search, and every command' },
    ...shortcuts,
    { keys: 'Enter', what: 'Open the row' },
    { keys: 'Space', what: 'Pause or resume a live stream' },
    { keys: 'Esc', what: 'Close' },
  ];
  return (
    <Dialog label="Keyboard shortcuts" onClose={onClose}>
      <div className="dialog-body">
        <h2>Keyboard shortcuts</h2>
        <dl className="shortcuts">
          {all.map((one) => (
            <div key={one.keys} style={{ display: 'contents' }}>
              <dt>
                {one.keys.split(' ').map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd className="soft">{one.what}</dd>
            </div>
          ))}
        </dl>
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
