// Dialogs on the browser's own <dialog>, which keeps the focus inside and gives it back afterwards; and
// short messages about what was done.
import { useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { ApiError } from '../api/client';
import { asApiError } from './data';
import { Failure } from './parts';

export function Dialog({
  label,
  className,
  onClose,
  children,
}: {
  label: string;
  className?: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current!;
    if (!dialog.open) dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={element}
      className={className}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      {children}
    </dialog>
  );
}

/** Asks before something is done that cannot be taken back, does it, and shows how it went. */
export function Confirm({
  title,
  action,
  ready = true,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  action: string;
  /** Whether there is enough to see to say yes. */
  ready?: boolean;
  onConfirm: () => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  return (
    <Dialog label={title} onClose={onClose}>
      <div className="dialog-body">
        <h2>{title}</h2>
        <div className="soft">{children}</div>
        {error && <Failure error={error} />}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button primary" onClick={confirm} disabled={busy || !ready}>
          {busy ? 'Working …' : action}
        </button>
      </div>
    </Dialog>
  );
}

type Toast = { id: number; text: string };

let toasts: Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function setToasts(next: Toast[]) {
  toasts = next;
  for (const listener of [...listeners]) listener();
}

export function announce(text: string) {
  const id = nextId;
  nextId += 1;
  setToasts([...toasts, { id, text }]);
  window.setTimeout(() => setToasts(toasts.filter((toast) => toast.id !== id)), 6000);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className="toast">
          {toast.text}
        </div>
      ))}
    </div>
  );
}
