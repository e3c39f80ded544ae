// Loads what a page shows, keeps it fresh while the page is looked at, and remembers the last answer so
// that going back shows it at once.
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/client';

export type Loaded<T> = {
  data: T | undefined;
  /** The last load failed; `data` may still hold what was there before. */
  error: ApiError | undefined;
  reload: () => void;
};

const kRemembered = 60;
const remembered = new Map<string, unknown>();

function remember(key: string, value: unknown) {
  remembered.delete(key);
  remembered.set(key, value);
  const oldest = remembered.keys().next();
  if (remembered.size > kRemembered && !oldest.done) remembered.delete(oldest.value);
}

/** After signing out nothing may be left to look at. */
export function forgetAll() {
  remembered.clear();
}

export function asApiError(failure: unknown): ApiError {
  if (failure instanceof ApiError) return failure;
  return new ApiError(0, 'HUB_FAULT', `The hub could not read the answer: ${String(failure)}`);
}

type State<T> = { key: string; data: T | undefined; error: ApiError | undefined };

export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>, everyMs = 0): Loaded<T> {
  const [state, setState] = useState<State<T>>({
    key,
    data: remembered.get(key) as T | undefined,
    error: undefined,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const next = () => {
      if (everyMs > 0 && !abort.signal.aborted) timer = window.setTimeout(run, everyMs);
    };
    const run = () => {
      // Nobody looks at a hidden tab; it catches up when it is shown again.
      if (document.hidden && remembered.has(key)) return next();
      latest
        .current(abort.signal)
        .then((data) => {
          if (abort.signal.aborted) return;
          remember(key, data);
          setState({ key, data, error: undefined });
        })
        .catch((failure: unknown) => {
          if (abort.signal.aborted) return;
          const error = asApiError(failure);
          setState((was) => ({
            key,
            data: was.key === key ? was.data : (remembered.get(key) as T | undefined),
            error,
          }));
        })
        .finally(next);
    };
    run();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [key, everyMs, round]);

  const reload = useCallback(() => setRound((was) => was + 1), []);
  if (state.key !== key) return { data: remembered.get(key) as T | undefined, error: undefined, reload };
  return { data: state.data, error: state.error, reload };
}

type Page = { items: unknown[]; nextCursor?: string };
type Item<P extends Page> = P['items'][number];

export type Paged<P extends Page> = Loaded<Item<P>[]> & {
  /** The first page, with what it tells beside its items. */
  first: P | undefined;
  /** Absent at the end of the list. */
  more: (() => void) | undefined;
  loadingMore: boolean;
};

/** A list that grows page by page. It is refreshed by itself only while it is one page long. */
export function usePaged<P extends Page>(
  key: string,
  load: (cursor: string | undefined, signal?: AbortSignal) => Promise<P>,
  everyMs = 0,
): Paged<P> {
  const [extra, setExtra] = useState<{
    key: string;
    items: Item<P>[];
    next: string | undefined;
    from: P | undefined;
  }>();
  const [loadingMore, setLoadingMore] = useState(false);
  const [moreError, setMoreError] = useState<ApiError>();
  const grown = extra?.key === key ? extra : undefined;
  const first = useLoaded(key, (signal) => load(undefined, signal), grown ? 0 : everyMs);
  const base = grown?.from ?? first.data;
  const next = grown ? grown.next : first.data?.nextCursor;

  const more = useCallback(() => {
    if (next === undefined || !base) return;
    setLoadingMore(true);
    setMoreError(undefined);
    load(next)
      .then((page) =>
        setExtra({ key, items: [...(grown?.items ?? []), ...page.items], next: page.nextCursor, from: base }),
      )
      .catch((failure: unknown) => setMoreError(asApiError(failure)))
      .finally(() => setLoadingMore(false));
  }, [next, base, key, grown, load]);

  const reload = useCallback(() => {
    setExtra(undefined);
    setMoreError(undefined);
    first.reload();
  }, [first.reload]);

  return {
    first: base,
    data: base && [...base.items, ...(grown?.items ?? [])],
    error: first.error ?? moreError,
    reload,
    more: next === undefined ? undefined : more,
    loadingMore,
  };
}
