// Sign-in and registration.
import { useState, type FormEvent } from 'react';
import { Failure } from '../shared/failure.js';
import type { Session } from '../shared/session.js';
import { Field } from './Field.js';

export function SignIn({ session }: { session: Session }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent, action: typeof session.login) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    // After success this form is no longer shown.
    await action.call(session, email, password).catch((error: unknown) => {
      setFailure(error as Failure);
      setBusy(false);
    });
  };
  const atField = failure?.at('email') ?? failure?.at('usernameOrEmail') ?? failure?.at('password');
  return (
    <main>
      <form className="sign-in" onSubmit={event => void submit(event, session.login)}>
        {session.reason() && <p role="status">{session.reason()}</p>}
        <Field label="E-mail" type="email" autoComplete="username" required autoFocus
          value={email} onChange={event => setEmail(event.target.value)} fault={failure?.at('email') ?? failure?.at('usernameOrEmail')} />
        <Field label="Password" type="password" autoComplete="current-password" required
          value={password} onChange={event => setPassword(event.target.value)} fault={failure?.at('password')} />
        {failure && !atField && <p className="fault" role="alert">{failure.message}</p>}
        <div className="buttons">
          <button type="submit" disabled={busy}>Sign in</button>
          <button type="button" disabled={busy} onClick={event => void submit(event, session.register)}>Register</button>
        </div>
      </form>
    </main>
  );
}
