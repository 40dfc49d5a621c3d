// Requests of queries and mutations.
import { print } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { Failure } from './failure.js';

/** After this time a request counts as not answered. */
const ANSWER_TIME_MS = 15_000;

/** `fetch` with a time limit. */
const fetchInTime: typeof fetch = (input, init) => {
  const limit = AbortSignal.timeout(ANSWER_TIME_MS);
  return fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, limit]) : limit });
};

/** `fetch` with the token of a session. A refused token is replaced, and the request is sent once more. */
export function authorizedFetch(session: { token(): Promise<string>; refused(token: string): Promise<string> }): typeof fetch {
  return async (input, init) => {
    const send = (token: string) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${token}`);
      return fetchInTime(input, { ...init, headers });
    };
    const token = await session.token();
    const response = await send(token);
    return response.status === 401 ? send(await session.refused(token)) : response;
  };
}

/** Sends one operation without a GraphQL client. */
export async function post<Result, Variables>(
  url: string, document: TypedDocumentNode<Result, Variables>, variables: Variables, init: { token?: string; signal?: AbortSignal; fetch?: typeof fetch } = {},
): Promise<Result> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (init.token) headers.authorization = `Bearer ${init.token}`;
  const body = JSON.stringify({ query: print(document), variables });
  const response = await (init.fetch ?? fetchInTime)(url, { method: 'POST', headers, body, signal: init.signal })
    .then(answer => answer.json() as Promise<{ data?: Result | null; errors?: { message: string }[] }>)
    .catch(() => { throw Failure.of(null); });
  if (response.errors || !response.data) throw Failure.of(response.errors);
  return response.data;
}

/** Repeats a request until the server answers, or until `isOver` is true. It must be safe to repeat. */
export async function untilAnswered<T>(isOver: () => boolean, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (isOver() || !(error instanceof Failure && error.isTemporary)) throw error;
      await new Promise(done => setTimeout(done, 1_000));
    }
  }
}

const PAUSE_MS = 200;

/** Returns a function that may be called often: several calls in a short time lead to one request. */
export function throttled(ask: () => Promise<unknown>) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      untilAnswered(() => false, ask).catch(() => {}); // The session has ended.
    }, PAUSE_MS);
  };
}
