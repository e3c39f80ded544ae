import { useState, type FormEvent } from 'react';
import { api, type ApiError } from '../api/client';
import type { Session } from '../api/schema';
import { asApiError } from '../ui/data';
import { Failure } from '../ui/parts';

export function SignIn({
  onSession,
  error: first,
}: {
  onSession: (session: Session) => void;
  error?: ApiError;
}) {
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(first);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      onSession(await api.signIn(token.trim()));
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <div className="brand">
          <img src="/weft.svg" width="24" height="24" alt="" />
          <h1>Weft</h1>
        </div>
        <p className="soft">
          Open the link that Weft printed in the terminal when it started, or paste the admin token from
          there.
        </p>
        <label className="label">
          Admin token
          <input
            className="field mono"
            type="password"
            name="token"
            autoComplete="current-password"
            autoFocus
            required
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        {error && <Failure error={error} />}
        <button type="submit" className="button primary" disabled={busy || token.trim() === ''}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
