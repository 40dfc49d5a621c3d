// Apollo Client without a WebSocket: HttpLink receives the events as a multipart stream.
import { ApolloClient, ApolloLink, HttpLink } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { createCache, freshenLink } from '../../generated/web/apollo/client.js';
import type { Freshen } from '../../generated/web/shared/freshen.js';

export interface Session {
  token(): Promise<string>;
}

export function createMultipartClient(url: string, session: Session, freshen: Freshen) {
  const authorize = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, authorization: `Bearer ${await session.token()}` },
  }));
  return new ApolloClient({
    link: ApolloLink.from([freshenLink(freshen), authorize, new HttpLink({ uri: url })]),
    cache: createCache(),
  });
}
