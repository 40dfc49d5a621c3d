// The e-mail address of the account, and its change.
import type { FormEvent } from 'react';
import type { Account } from '../shared/account.js';
import { textOf, useAttempt } from './attempt.js';
import { Field } from './Field.js';

interface Props {
  account: Account;
  email: string;
  /** The new address, which is not verified yet. */
  pendingEmail: string | null;
}

export function EmailAddress({ account, email, pendingEmail }: Props) {
  const { busy, failure, attempt } = useAttempt();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    void attempt(async () => {
      await account.changeEmail(textOf(form, 'newEmail'), textOf(form, 'currentPassword'));
      form.reset();
    });
  };
  return (
    <section aria-labelledby="email">
      <h2 id="email">E-mail address</h2>
      <p>{email}</p>
      <div role="status">
        {pendingEmail && (
          <p>
            It will be {pendingEmail} when you have followed the link in the mail to that address.{' '}
            <button disabled={busy} onClick={() => void attempt(() => account.cancelEmailChange())}>Cancel the change</button>
          </p>
        )}
      </div>
      <form className="row" onSubmit={submit}>
        <Field label="New e-mail address" name="newEmail" type="email" autoComplete="off" required fault={failure?.at('newEmail')} />
        <Field label="Current password" name="currentPassword" type="password" autoComplete="current-password" required
          fault={failure?.at('currentPassword')} />
        <button type="submit" disabled={busy}>Change</button>
      </form>
      {failure && <p className="fault" role="alert">{failure.besides('newEmail', 'currentPassword')}</p>}
    </section>
  );
}
