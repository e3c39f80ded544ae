// The session decides what there is to see: nothing yet, the way in, or the hub.
import { Component, useCallback, useEffect, useState, type ReactNode } from 'react';
import { api, ApiError, whenSignedOut } from './api/client';
import type { Session } from './api/schema';
import { pageOf, tokenOf, type Page } from './core/routes';
import { ChangesPage, GenerationPage } from './pages/changes';
import { ClientsPage } from './pages/clients';
import { DeliveriesPage } from './pages/deliveries';
import { DeliveryPage } from './pages/delivery';
import { GroupPage } from './pages/group';
import { GroupsPage } from './pages/groups';
import { MissingPage } from './pages/missing';
import { OverviewPage } from './pages/overview';
import { ResourcePage, ResourcesPage } from './pages/resources';
import { RoutesPage } from './pages/routes';
import { SignIn } from './pages/sign_in';
import { StreamPage } from './pages/stream';
import { StreamsPage } from './pages/streams';
import { TracePage } from './pages/trace';
import { TracesPage } from './pages/traces';
import { asApiError, forgetAll } from './ui/data';
import { Failure } from './ui/parts';
import { useLocation } from './ui/router';
import { Shell } from './ui/shell';

type Gate = { state: 'asking' } | { state: 'out'; error?: ApiError } | { state: 'in'; session: Session };

// A sign-in link carries the token behind "#". It leaves the address, and with it the history, before
// anything else happens.
const linkToken = tokenOf(location.hash);
if (linkToken !== undefined) history.replaceState(null, '', location.pathname + location.search);

export function App() {
  const [gate, setGate] = useState<Gate>({ state: 'asking' });
  const enter = useCallback((session: Session) => setGate({ state: 'in', session }), []);
  const leave = useCallback(() => {
    forgetAll();
    setGate({ state: 'out' });
  }, []);

  useEffect(() => {
    whenSignedOut(leave);
    (linkToken === undefined ? api.session() : api.signIn(linkToken))
      .then(enter)
      .catch((failure: unknown) => {
        const error = asApiError(failure);
        // Not being signed in yet is no failure; a link that does not work is.
        setGate(error.status === 401 && linkToken === undefined ? { state: 'out' } : { state: 'out', error });
      });
  }, [enter, leave]);

  if (gate.state === 'asking') return null;
  if (gate.state === 'out')
    return <SignIn onSession={enter} {...(gate.error ? { error: gate.error } : {})} />;
  return <Hub session={gate.session} onLeave={leave} />;
}

function Hub({ session, onLeave }: { session: Session; onLeave: () => void }) {
  const { path } = useLocation();
  const page = pageOf(path);
  return (
    <Shell session={session} page={page} onLeave={onLeave}>
      <Boundary key={path}>{contentOf(page)}</Boundary>
    </Shell>
  );
}

function contentOf(page: Page): ReactNode {
  switch (page.page) {
    case 'overview':
      return <OverviewPage />;
    case 'streams':
      return <StreamsPage />;
    case 'stream':
      return <StreamPage name={page.name} />;
    case 'groups':
      return <GroupsPage />;
    case 'group':
      return <GroupPage name={page.name} />;
    case 'deliveries':
      return <DeliveriesPage />;
    case 'delivery':
      return <DeliveryPage id={page.id} />;
    case 'traces':
      return <TracesPage />;
    case 'trace':
      return <TracePage traceId={page.traceId} />;
    case 'routes':
      return <RoutesPage />;
    case 'resources':
      return <ResourcesPage />;
    case 'resource':
      return <ResourcePage kind={page.kind} name={page.name} />;
    case 'changes':
      return <ChangesPage />;
    case 'generation':
      return <GenerationPage number={page.number} />;
    case 'clients':
      return <ClientsPage />;
    case 'missing':
      return <MissingPage />;
  }
}

/** A fault of one page leaves the frame and the other pages usable. */
class Boundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <>
        <div className="page-head">
          <h1>This page has a fault</h1>
        </div>
        <Failure error={asApiError(this.state.error)} onRetry={() => this.setState({ error: undefined })} />
      </>
    );
  }
}
