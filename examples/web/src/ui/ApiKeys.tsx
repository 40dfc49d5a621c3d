// The API keys of the account: tokens with which scripts act for the user.
import { useState, type FormEvent } from 'react';
import type { ApiKeyScope } from '../generated/graphql.js';
import type { Account, ApiKey } from '../shared/account.js';
import { textOf, useAttempt } from './attempt.js';
import { Field } from './Field.js';

const SCOPES: Record<ApiKeyScope, string> = {
  TASKS_READ: 'read tasks',
  TASKS_WRITE: 'read and change tasks',
  ACCOUNT: 'read the account, and change its names',
};

const DAY_MS = 86_400_000;

export function ApiKeys({ account, keys }: { account: Account; keys: ApiKey[] }) {
  const { failure, attempt } = useAttempt();
  const revoke = ({ id, name }: ApiKey) => {
    if (confirm(`Revoke the key “${name}”? Scripts that use it will be refused.`)) void attempt(() => account.revokeApiKey(id));
  };
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">API keys</h2>
      <ul className="keys" aria-labelledby="keys">
        {keys.map(key => (
          <li key={key.id}>
            <span>
              <b>{key.name}</b> <code>{key.start}…</code>
              <br />
              May {key.scopes.map(scope => SCOPES[scope]).join('; ')}. {lifetime(key)}
            </span>
            <button aria-label={`Revoke ${key.name}`} onClick={() => revoke(key)}>Revoke</button>
          </li>
        ))}
      </ul>
      {failure && <p className="fault" role="alert">{failure.message}</p>}
      <NewKey account={account} />
    </section>
  );
}

function lifetime({ expiresAt, lastUsedAt }: ApiKey) {
  const end = `${Date.parse(expiresAt) < Date.now() ? 'Expired' : 'Expires'} on ${date(expiresAt)}`;
  return `${end}, ${lastUsedAt ? `last used on ${date(lastUsedAt)}` : 'never used'}.`;
}

const date = (time: string) => new Date(time).toLocaleDateString();

function NewKey({ account }: { account: Account }) {
  const { busy, failure, attempt } = useAttempt();
  const [token, setToken] = useState<string>();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const scopes = new FormData(form).getAll('scopes') as ApiKeyScope[];
    const expiresAt = new Date(Date.now() + Number(textOf(form, 'days')) * DAY_MS).toISOString();
    setToken(undefined);
    void attempt(async () => {
      const currentPassword = textOf(form, 'currentPassword');
      setToken(await account.createApiKey({ name: textOf(form, 'name'), scopes, expiresAt, currentPassword }));
      form.reset();
    });
  };
  return (
    <>
      <div role="status">{token && <NewToken token={token} />}</div>
      <form onSubmit={submit}>
        <div className="row">
          <Field label="Name of a new key" name="name" required fault={failure?.at('name')} />
          <Field label="Days until it expires" name="days" type="number" min={1} required defaultValue={90} fault={failure?.at('expiresAt')} />
        </div>
        <fieldset>
          <legend>The key may</legend>
          {Object.entries(SCOPES).map(([scope, sentence]) => (
            <label key={scope}><input type="checkbox" name="scopes" value={scope} /> {sentence}</label>
          ))}
          {failure?.at('scopes') && <span className="fault" role="alert">{failure.at('scopes')}</span>}
        </fieldset>
        <div className="row">
          <Field label="Current password" name="currentPassword" type="password" autoComplete="current-password" required
            fault={failure?.at('currentPassword')} />
          <button type="submit" disabled={busy}>Create the key</button>
        </div>
        {failure && <p className="fault" role="alert">{failure.besides('name', 'expiresAt', 'scopes', 'currentPassword')}</p>}
      </form>
    </>
  );
}

/** The token of a new key. It is in no other place than this component. */
function NewToken({ token }: { token: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div className="row">
      <Field label="Token of the new key, which is shown only now" readOnly value={token} />
      <button onClick={() => void navigator.clipboard.writeText(token).then(() => setCopied(true))}>{copied ? 'Copied' : 'Copy'}</button>
    </div>
  );
}
