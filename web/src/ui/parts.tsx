// Small parts that every page uses.
import { Fragment, useState, type ReactNode } from 'react';
import type { ApiError } from '../api/client';
import type { NodeAnswer } from '../api/schema';
import { formatClock, formatDateTime, formatRelative } from '../core/time';
import { pathTo } from '../core/routes';
import { Icon, type IconName } from './icons';
import { useNow } from './now';
import { Link } from './router';

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'plain';

const toneIcons: Record<Tone, IconName | undefined> = {
  ok: 'pass',
  warn: 'warn',
  bad: 'fail',
  info: 'wait',
  plain: undefined,
};

/** A status: colour, shape and word say the same. */
export function Badge({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ReactNode }) {
  const name = icon ?? toneIcons[tone];
  return (
    <span className={`badge ${tone}`}>
      {name && <Icon name={name} size={10} />}
      {children}
    </span>
  );
}

const statuses: Record<string, { tone: Tone; icon?: IconName }> = {
  pass: { tone: 'ok' },
  warn: { tone: 'warn' },
  fail: { tone: 'bad' },
  active: { tone: 'ok' },
  paused: { tone: 'warn', icon: 'pause' },
  disabled: { tone: 'bad', icon: 'stop' },
  elsewhere: { tone: 'info' },
  pending: { tone: 'info' },
  failing: { tone: 'warn' },
  delivered: { tone: 'ok' },
  dead: { tone: 'bad' },
  Stable: { tone: 'ok' },
  PreparingRebalance: { tone: 'info' },
  CompletingRebalance: { tone: 'info' },
  ready: { tone: 'ok' },
  failed: { tone: 'bad' },
  critical: { tone: 'bad' },
  warning: { tone: 'warn' },
  info: { tone: 'info' },
};

export function Status({ value, label }: { value: string; label?: string }) {
  const known = statuses[value] ?? { tone: 'plain' as Tone };
  return (
    <Badge tone={known.tone} {...(known.icon ? { icon: known.icon } : {})}>
      {label ?? value}
    </Badge>
  );
}

/** "3 min ago", with the exact time on hover and for machines. */
export function Ago({ time, missing = '–' }: { time: string | undefined; missing?: string }) {
  const now = useNow();
  if (!time) return <span className="faint">{missing}</span>;
  return (
    <time dateTime={time} title={`${formatDateTime(time)} (${time})`}>
      {formatRelative(new Date(time).getTime(), now)}
    </time>
  );
}

export function Clock({ time }: { time: string }) {
  return (
    <time dateTime={time} title={time}>
      {formatClock(time, Date.now())}
    </time>
  );
}

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      window.setTimeout(() => setCopied(false), 1500);
    } catch {
      // Without permission the text can still be selected by hand.
    }
  };
  return (
    <button type="button" className="button quiet small" onClick={copy} aria-live="polite">
      {copied ? 'Copied' : label}
    </button>
  );
}

/** A command line that wraps between its words, never inside "--flag". */
export function CommandText({ text }: { text: string }) {
  return (
    <code>
      {text.split(' ').map((word, at) => (
        <Fragment key={at}>
          {at > 0 && ' '}
          <span className="word">{word}</span>
        </Fragment>
      ))}
    </code>
  );
}

export function Command({ text }: { text: string }) {
  return (
    <div className="command">
      <CommandText text={text} />
      <CopyButton text={text} />
    </div>
  );
}

/** A list that is empty, and what to do about it. */
export function Empty({
  title,
  command,
  children,
}: {
  title: string;
  command?: string | undefined;
  children?: ReactNode;
}) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {command && <Command text={command} />}
    </div>
  );
}

/** What went wrong: code, message, trace, and a way to try again. */
export function Failure({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  const listed = error.details?.errors ?? error.details?.diagnostics;
  return (
    <div className="failure" role="alert">
      <div>
        <strong className="mono">{error.code}</strong>
        {error.status > 0 && <span className="soft"> · HTTP {error.status}</span>}
      </div>
      <div className="break">{error.message}</div>
      {Array.isArray(listed) && <FailureList items={listed} />}
      <div className="bar small">
        {error.traceId && (
          <span className="soft break in-text">
            Trace{' '}
            <Link to={pathTo.trace(error.traceId)} className="mono">
              {error.traceId}
            </Link>
          </span>
        )}
        {error.traceId && <CopyButton text={error.traceId} label="Copy trace id" />}
        {error.status === 0 && <code>weft doctor</code>}
        {onRetry && (
          <button type="button" className="button small" onClick={onRetry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

function FailureList({ items }: { items: unknown[] }) {
  return (
    <ul className="small break">
      {items.slice(0, 20).map((item, at) => {
        const fields = (typeof item === 'object' && item !== null ? item : { message: item }) as Record<
          string,
          unknown
        >;
        const place = fields.instanceLocation ?? fields.pointer;
        return (
          <li key={at}>
            <code>{place === '' || place === undefined ? '(whole value)' : String(place)}</code>{' '}
            {String(fields.message ?? '')}
          </li>
        );
      })}
    </ul>
  );
}

/** Data that could not be refreshed stays on the page, with a word about it. */
export function Stale({ error, onRetry }: { error: ApiError | undefined; onRetry: () => void }) {
  if (!error) return null;
  return (
    <div className="notice" role="status">
      <span>
        Not fresh any more: <code>{error.code}</code> {error.message}
      </span>
      {error.traceId && (
        <Link to={pathTo.trace(error.traceId)} className="mono small">
          trace
        </Link>
      )}
      <button type="button" className="button small push" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

/** Holds the place of a table that is on its way. */
/** Of a list of several nodes: whose part is missing. Nothing when all answered. */
export function SilentNodes({ nodes }: { nodes: NodeAnswer[] | undefined }) {
  const silent = (nodes ?? []).filter((node) => !node.answered);
  if (silent.length === 0) return null;
  return (
    <div className="notice" role="status">
      <Badge tone="warn">incomplete</Badge>
      <span>
        {silent.map((node) => `Node ${node.name} did not answer: ${node.why ?? 'no reason given'}`).join('. ')}.
        Its part is missing.
      </span>
    </div>
  );
}

export function Waiting({ rows = 6, label }: { rows?: number; label: string }) {
  return (
    <div role="status" className="panel-body stack">
      <span className="visually-hidden">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="skeleton" style={{ height: 16, width: `${92 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

type LoadedLike<T> = { data: T | undefined; error: ApiError | undefined; reload: () => void };

/** Waiting, failed or there: each page says only what it shows when it is there. */
export function Show<T>({
  loaded,
  label,
  rows,
  children,
}: {
  loaded: LoadedLike<T>;
  label: string;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  if (loaded.data !== undefined) {
    return (
      <>
        <Stale error={loaded.error} onRetry={loaded.reload} />
        {children(loaded.data)}
      </>
    );
  }
  if (loaded.error) return <Failure error={loaded.error} onRetry={loaded.reload} />;
  return (
    <div className="panel">
      <Waiting label={label} {...(rows ? { rows } : {})} />
    </div>
  );
}

export function More({ list }: { list: { more: (() => void) | undefined; loadingMore: boolean } }) {
  if (!list.more) return null;
  return (
    <div className="panel-body">
      <button type="button" className="button" onClick={list.more} disabled={list.loadingMore}>
        {list.loadingMore ? 'Loading …' : 'Show more'}
      </button>
    </div>
  );
}

export function Segments<V extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: V;
  options: { value: V; label: string }[];
  onChange: (value: V) => void;
}) {
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={label}
            checked={value === option.value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}

/** Where a page belongs, before its heading. */
export function Crumb({ to, children }: { to: string; children: ReactNode }) {
  return (
    <nav className="crumb" aria-label="Up">
      <Link to={to}>{children}</Link> <span aria-hidden="true">/</span>
    </nav>
  );
}

export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: { label: string; to: string; current: boolean }[];
}) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link key={tab.to} to={tab.to} aria-current={tab.current ? 'page' : undefined}>
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
