// The hub's own small router: the address is the state, links are real links.
import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react';
import { withQuery } from '../core/routes';

const listeners = new Set<() => void>();

function subscribe(listener: () => void) {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
  };
}

const current = () => location.pathname + location.search;

export function navigate(to: string, how: 'push' | 'replace' = 'push') {
  if (to === current()) return;
  const leavesPage = new URL(to, location.origin).pathname !== location.pathname;
  if (how === 'push') history.pushState(null, '', to);
  else history.replaceState(null, '', to);
  for (const listener of [...listeners]) listener();
  if (leavesPage) {
    window.scrollTo(0, 0);
    // A screen reader goes on reading at the new page.
    document.getElementById('main')?.focus({ preventScroll: true });
  }
}

export function useLocation(): { path: string; query: URLSearchParams } {
  const address = useSyncExternalStore(subscribe, current);
  const [path = '/', search = ''] = address.split('?');
  return { path, query: new URLSearchParams(search) };
}

/** Changes some of the query's parameters and keeps the page. */
export function setQuery(changes: Record<string, string | undefined>) {
  const query = Object.fromEntries(new URLSearchParams(location.search));
  navigate(withQuery(location.pathname, { ...query, ...changes }), 'replace');
}

type LinkProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> & { to: string };

export function Link({ to, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain || rest.target === '_blank') return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}

/** For a table row whose first cell has the link: a click anywhere else follows it too. */
export function goOnClick(to: string) {
  return (event: MouseEvent<HTMLElement>) => {
    const target = event.target as HTMLElement;
    if (target.closest('a, button, input, label') || getSelection()?.toString()) return;
    navigate(to);
  };
}
