// A copy of the tasks that follows every change, with graphql-sse: an event stream over HTTP.
import { createClient } from 'graphql-sse';
import { apply, discard, LIVE, type Copy, type Page } from './copy.js';

export interface Session {
  token(): Promise<string>;
}

/** `read` brings the copy up to date before each subscription. Returns a function that ends the subscription. */
export function follow(url: string, session: Session, copy: Copy, read: () => Promise<void>, onError: (error: unknown) => void) {
  const client = createClient({
    url,
    // This function is called for each connection.
    headers: async () => ({ authorization: `Bearer ${await session.token()}`, ...(copy.cursor && { 'last-event-id': copy.cursor }) }),
    retryAttempts: Infinity,
    retry: retries => new Promise(done => setTimeout(done, Math.min(200 * 2 ** retries, 15_000) * (0.5 + Math.random()))),
  });
  const start = async () => {
    await read();
    const end = client.subscribe<{ taskChanges: Page }>({ query: LIVE, variables: { after: copy.cursor } }, {
      next: ({ data, errors }) => {
        if (!errors) return apply(copy, data!.taskChanges);
        const expired = errors[0].extensions?.code === 'CURSOR_EXPIRED';
        // Without data, the field itself has failed.
        if (!data && !expired) return onError(errors);
        if (expired) discard(copy);
        // Nothing of an event with errors is applied, so that it comes again.
        end();
        setTimeout(() => start().catch(onError), expired ? 0 : 1_000);
      },
      error: onError,
      complete: () => {},
    });
  };
  start().catch(onError);
  return () => client.dispose();
}
