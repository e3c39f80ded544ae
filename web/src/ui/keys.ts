// Keyboard shortcuts of the whole hub. Nothing fires while a field or a dialog has the focus.
import { useEffect } from 'react';

export type Shortcut = { keys: string; what: string; run: () => void };

const kSequenceMs = 1200;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input:not([type=radio]):not([type=checkbox]), textarea, select, dialog') !== null
  );
}

/** Space belongs to the control that has the focus; only on a row it is free. */
function isPressing(event: KeyboardEvent): boolean {
  if (event.key !== ' ' || !(event.target instanceof HTMLElement)) return false;
  return event.target.closest('button:not([data-row]), a, summary, input') !== null;
}

/** "g s" is g, then s; "?" is one key. */
export function useShortcuts(shortcuts: Shortcut[]) {
  useEffect(() => {
    let first = '';
    let firstAt = 0;
    const onKey = (event: KeyboardEvent) => {
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        event.defaultPrevented ||
        isTyping(event.target) ||
        isPressing(event)
      )
        return;
      const typed = performance.now() - firstAt < kSequenceMs && first ? `${first} ${event.key}` : event.key;
      const hit =
        shortcuts.find((one) => one.keys === typed) ?? shortcuts.find((one) => one.keys === event.key);
      first = '';
      if (hit) {
        event.preventDefault();
        hit.run();
      } else if (shortcuts.some((one) => one.keys.startsWith(`${event.key} `))) {
        first = event.key;
        firstAt = performance.now();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [shortcuts]);
}

/** Moves the focus to the next or previous row of the list on the page. */
export function moveRow(step: 1 | -1) {
  const rows = [...document.querySelectorAll<HTMLElement>('#main [data-row]')].filter(
    (row) => row.offsetParent !== null,
  );
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row === document.activeElement);
  const start = at < 0 ? rows.findIndex((row) => row.closest('[aria-current="true"]') !== null) : at;
  const next =
    start < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, start + step));
  rows[next]!.focus();
  rows[next]!.scrollIntoView({ block: 'nearest' });
}

export function focusFilter() {
  document.querySelector<HTMLElement>('#main [data-filter]')?.focus();
}
