// A copy of the tasks that follows every change, with graphql-ws alone.
import type { Client } from 'graphql-ws';
import { apply, discard, LIVE, type Copy, type Page } from './copy.js';

/** `read` brings the copy up to date before each subscription. Returns a function that ends the subscription. */
export function follow(socket: Client, copy: Copy, read: () => Promise<void>, onError: (error: unknown) => void) {
  let end = () => {};
  let ended = false;
  const start = async () => {
    await read();
    if (ended) return;
    end = socket.subscribe<{ taskChanges: Page }>({ query: LIVE, variables: { after: copy.cursor } }, {
      next: ({ data, errors }) => {
        if (!errors) return apply(copy, data!.taskChanges);
        // A part of the event could not be read. Nothing of it is applied, so that it comes again.
        end();
        setTimeout(() => start().catch(onError), 1_000);
      },
      error: error => {
        if (!Array.isArray(error) || error[0].extensions.code !== 'CURSOR_EXPIRED') return onError(error);
        discard(copy);
        start().catch(onError);
      },
      complete: () => {},
    });
  };
  start().catch(onError);
  return () => {
    ended = true;
    end();
  };
}
