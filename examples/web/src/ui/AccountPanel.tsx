// The account of the signed-in user, and the reminder to verify its e-mail address.
import { useSyncExternalStore } from 'react';
import type { Account } from '../shared/account.js';
import { ApiKeys } from './ApiKeys.js';
import { useAttempt } from './attempt.js';
import { EmailAddress } from './EmailAddress.js';

export function AccountPanel({ account }: { account: Account }) {
  const state = useSyncExternalStore(account.subscribe, account.state);
  if (!state) return null;
  return (
    <>
      {!state.emailVerified && <VerifyReminder account={account} email={state.email} />}
      <details className="panel">
        <summary>Account</summary>
        <EmailAddress account={account} email={state.email} pendingEmail={state.pendingEmail} />
        <ApiKeys account={account} keys={state.apiKeys} />
      </details>
    </>
  );
}

function VerifyReminder({ account, email }: { account: Account; email: string }) {
  const { busy, failure, attempt } = useAttempt();
  return (
    <section className="reminder" aria-labelledby="reminder">
      <span id="reminder">Verify your e-mail address: follow the link in the mail to {email}.</span>
      <button disabled={busy} onClick={() => void attempt(() => account.sendVerificationEmail())}>Send again</button>
      {failure && <span className="fault" role="alert">{failure.message}</span>}
    </section>
  );
}
