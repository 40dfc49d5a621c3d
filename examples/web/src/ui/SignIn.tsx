// Sign-in, registration, and what to do without a password.
import { useState, type FormEvent } from 'react';
import type { Session } from '../shared/session.js';
import { useAttempt } from './attempt.js';
import { Field } from './Field.js';

export function SignIn({ session }: { session: Session }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [message, setMessage] = useState('');
  const { busy, failure, attempt } = useAttempt();

  // After success this form is no longer shown.
  const signIn = (event: FormEvent, action: typeof session.login) => {
    event.preventDefault();
    setMessage('');
    void attempt(() => action.call(session, email, password));
  };
  const forgot = () => attempt(async () => setMessage(await session.requestReset(email)));
  return (
    <main>
      <form className="column" onSubmit={event => signIn(event, session.login)}>
        {session.reason() && <p role="status">{session.reason()}</p>}
        <Field label="E-mail" type="email" autoComplete="username" required autoFocus
          value={email} onChange={event => setEmail(event.target.value)} fault={failure?.at('email') ?? failure?.at('usernameOrEmail')} />
        <Field label="Password" type="password" autoComplete="current-password" required
          value={password} onChange={event => setPassword(event.target.value)} fault={failure?.at('password')} />
        {failure && <p className="fault" role="alert">{failure.besides('email', 'usernameOrEmail', 'password')}</p>}
        <p role="status">{message}</p>
        <div className="buttons">
          <button type="submit" disabled={busy}>Sign in</button>
          <button type="button" disabled={busy} onClick={event => signIn(event, session.register)}>Register</button>
          <button type="button" disabled={busy} onClick={() => void forgot()}>Forgot password?</button>
        </div>
      </form>
    </main>
  );
}
