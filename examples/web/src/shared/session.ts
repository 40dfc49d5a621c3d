// The session of the signed-in user: a pair of tokens in localStorage, which all tabs share.
import { LoginDocument, LogoutDocument, RefreshDocument, RegisterDocument, RequestResetDocument, type TokenPairFragment } from '../generated/graphql.js';
import { Failure, NOT_ANSWERED } from './failure.js';
import { post } from './request.js';

export type User = TokenPairFragment['user'];

interface Stored extends TokenPairFragment {
  /** When the access token should be renewed, in milliseconds by the clock of this computer. */
  renewAt: number;
}

const KEY = 'taskhold.session';
const LONGEST_MARGIN_MS = 60_000;
/** The server answers the same refresh token for 10 s; two attempts have to fit into that time. */
const REFRESH_TIME_MS = 3_500;
/** Stored in place of the pair when the server has ended the session, so that all tabs can say so. */
const ENDED = 'ended';
const ENDED_SENTENCE = 'Your session has ended. Please sign in again.';

/** The lifetime comes from the token itself: the clocks of server and browser may differ. */
function stored(pair: TokenPairFragment): Stored {
  const { iat, exp } = JSON.parse(atob(pair.accessToken.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  const lifetime = (exp - iat) * 1_000;
  return { ...pair, renewAt: Date.now() + lifetime - Math.min(lifetime / 5, LONGEST_MARGIN_MS) };
}

export class Session {
  #text: string | null = null;
  #pair: Stored | null = null;
  #listeners = new Set<() => void>();

  constructor(readonly url: string) {
    // The event comes from the other tabs only.
    addEventListener('storage', ({ key }) => (key === KEY || key === null) && this.#read());
    this.#read();
  }

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => { this.#listeners.delete(listener); };
  };

  user = (): User | null => this.#pair?.user ?? null;

  /** Why the user is signed out, as a sentence; null if they signed out themselves. */
  reason = (): string | null => this.#text === ENDED ? ENDED_SENTENCE : null;

  isSignedIn = () => this.#read() !== null;

  async register(email: string, password: string) {
    this.#write(stored((await post(this.url, RegisterDocument, { input: { email, password } })).register!));
  }

  async login(usernameOrEmail: string, password: string) {
    this.#write(stored((await post(this.url, LoginDocument, { input: { usernameOrEmail, password } })).login!));
  }

  /** Asks for a mail with a link to set a new password. Returns a sentence, which does not say whether there is such an account. */
  async requestReset(usernameOrEmail: string): Promise<string> {
    return (await post(this.url, RequestResetDocument, { usernameOrEmail })).requestPasswordReset!.message;
  }

  /** Signs out immediately, in all tabs. The server is told if it can be reached. */
  async logout() {
    const token = this.#read()?.accessToken;
    this.#write(null);
    await post(this.url, LogoutDocument, {}, { token }).catch(() => {});
  }

  /** A valid access token. An expired one is renewed first. */
  token = async (): Promise<string> => {
    const pair = this.#read();
    if (pair && Date.now() < pair.renewAt) return pair.accessToken;
    return this.#renew(({ renewAt }) => Date.now() < renewAt);
  };

  /** The server has refused a token: gets another one, or ends the session. */
  refused = (token: string): Promise<string> => this.#renew(({ accessToken }) => accessToken !== token);

  /** One tab at a time renews the pair. A refresh token that is used again later ends the session, so the pair is read again. */
  #renew(isDone: (pair: Stored) => boolean): Promise<string> {
    return navigator.locks.request(`${KEY}.renew`, async () => {
      const old = this.#read();
      if (!old) throw new Failure(ENDED_SENTENCE, 'UNAUTHENTICATED');
      if (isDone(old)) return old.accessToken;
      try {
        const renewed = stored((await this.#refresh(old.refreshToken)).refreshToken!);
        // During the request, the user may have signed out, or another one in.
        if (this.#read()?.refreshToken === old.refreshToken) this.#write(renewed);
        return renewed.accessToken;
      } catch (error) {
        if ((error as Failure).code === 'INVALID_CREDENTIALS' && this.#read()?.refreshToken === old.refreshToken) this.#write(ENDED);
        throw error;
      }
    });
  }

  async #refresh(refreshToken: string) {
    const attempt = () => post(this.url, RefreshDocument, { refreshToken }, { signal: AbortSignal.timeout(REFRESH_TIME_MS) });
    return attempt().catch((error: Failure) => {
      if (error.code !== NOT_ANSWERED) throw error;
      return attempt();
    });
  }

  #write(value: Stored | typeof ENDED | null) {
    if (value === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, value === ENDED ? ENDED : JSON.stringify(value));
    this.#read();
  }

  /** Another tab may have changed the pair a moment ago. */
  #read(): Stored | null {
    const text = localStorage.getItem(KEY);
    if (text === this.#text) return this.#pair;
    const before = this.#pair?.user.id;
    this.#text = text;
    this.#pair = text && text !== ENDED ? JSON.parse(text) : null;
    if (before !== this.#pair?.user.id) for (const listener of this.#listeners) listener();
    return this.#pair;
  }
}
