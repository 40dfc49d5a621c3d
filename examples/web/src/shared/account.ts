// The account of the signed-in user: its e-mail address and its API keys. Its requests do not pass through the GraphQL client,
// whose cache is no place for passwords and tokens.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import {
  CancelEmailChangeDocument, ChangeEmailDocument, CreateApiKeyDocument, ReadAccountDocument, RevokeApiKeyDocument,
  SendVerificationEmailDocument, type AccountFragment, type CreateApiKeyInput,
} from '../generated/graphql.js';
import { post } from './request.js';

export type ApiKey = AccountFragment['apiKeys'][number];

export class Account {
  #state: AccountFragment | undefined;
  #listeners = new Set<() => void>();

  /** `fetch` sends requests with the token of the session. */
  constructor(readonly url: string, readonly fetch: typeof globalThis.fetch) {}

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => { this.#listeners.delete(listener); };
  };

  /** The newest known state; undefined until the server has answered. */
  state = () => this.#state;

  /** Reads the account, now and whenever the user comes back to the page: they may have followed the link of a mail. */
  follow(): () => void {
    const end = new AbortController();
    const read = () => void this.#read().catch(() => {}); // The banner of the connection says enough.
    for (const event of ['focus', 'online']) addEventListener(event, read, { signal: end.signal });
    read();
    return () => end.abort();
  }

  async sendVerificationEmail() {
    this.#set((await this.#post(SendVerificationEmailDocument, {})).sendVerificationEmail!.user);
  }

  /** The present address stays until the link of the mail to the new one is followed. */
  async changeEmail(newEmail: string, currentPassword: string) {
    this.#set((await this.#post(ChangeEmailDocument, { input: { newEmail, currentPassword } })).changeEmail!.user);
  }

  async cancelEmailChange() {
    this.#set((await this.#post(CancelEmailChangeDocument, {})).cancelEmailChange!.user);
  }

  /** Returns the token, which the server does not tell again. */
  async createApiKey(input: CreateApiKeyInput): Promise<string> {
    const { createApiKey } = await this.#post(CreateApiKeyDocument, { input });
    await this.#read();
    return createApiKey!.token;
  }

  async revokeApiKey(id: string) {
    await this.#post(RevokeApiKeyDocument, { id });
    await this.#read();
  }

  async #read() {
    this.#set((await this.#post(ReadAccountDocument, {})).me);
  }

  #post<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables) {
    return post(this.url, document, variables, { fetch: this.fetch });
  }

  #set(state: AccountFragment) {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
