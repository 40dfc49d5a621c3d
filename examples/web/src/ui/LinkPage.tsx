// The page that the links of mails lead to. It sends the token only when a button is pressed: programs that check mails open links.
import { useEffect, useState, type FormEvent } from 'react';
import { PasswordRulesDocument, ResetPasswordDocument, VerifyEmailDocument } from '../generated/graphql.js';
import { Failure } from '../shared/failure.js';
import { post } from '../shared/request.js';
import { textOf, useAttempt } from './attempt.js';
import { Field } from './Field.js';
import './app.css';

interface Props {
  /** The address of the API. */
  url: string;
  token: string;
}

export function ResetPassword({ url, token }: Props) {
  const { busy, failure, attempt } = useAttempt();
  const [rules, setRules] = useState<string[]>([]);
  const [email, setEmail] = useState('');
  useEffect(() => {
    // Without the rules the page works too: the server says which ones a password breaks.
    post(url, PasswordRulesDocument, {}).then(({ serverInfo }) => setRules(serverInfo.passwordRules)).catch(() => {});
  }, [url]);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const newPassword = textOf(form, 'newPassword');
    const revokeApiKeys = new FormData(form).has('revokeApiKeys');
    void attempt(async () => {
      if (newPassword !== textOf(form, 'repeated')) throw new Failure('The passwords are not the same.', 'BAD_USER_INPUT');
      const { resetPassword } = await post(url, ResetPasswordDocument, { input: { token, newPassword, revokeApiKeys } });
      setEmail(resetPassword!.email);
    });
  };
  return (
    <main>
      <h1>Set a new password</h1>
      {email
        ? <p role="status">Your password is set, and all devices are signed out. <a href="./">Sign in as {email}</a></p>
        : (
          <form className="column" onSubmit={submit}>
            <Field label="New password" name="newPassword" type="password" autoComplete="new-password" required autoFocus
              fault={failure?.at('newPassword')} />
            <ul aria-label="Rules for the password">{rules.map(rule => <li key={rule}>{rule}</li>)}</ul>
            <Field label="New password again" name="repeated" type="password" autoComplete="new-password" required />
            <label><input type="checkbox" name="revokeApiKeys" defaultChecked /> Also revoke my API keys</label>
            {failure && <p className="fault" role="alert">{failure.besides('newPassword')}</p>}
            <button type="submit" disabled={busy}>Set password</button>
          </form>
        )}
    </main>
  );
}

export function VerifyEmail({ url, token }: Props) {
  const { busy, failure, attempt } = useAttempt();
  const [email, setEmail] = useState('');
  const verify = () => attempt(async () => setEmail((await post(url, VerifyEmailDocument, { token })).verifyEmail!.email));
  return (
    <main>
      <h1>Verify your e-mail address</h1>
      {email
        ? <p role="status">{email} is the e-mail address of your account. <a href="./">Go to the tasks</a></p>
        : <button type="submit" disabled={busy} onClick={() => void verify()}>Verify address</button>}
      {failure && <p className="fault" role="alert">{failure.message}</p>}
    </main>
  );
}
