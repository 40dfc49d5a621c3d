// The part of a single-page app that talks to taskhold, with urql. docs/clients.md shows this code.
import { Client, fetchExchange } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';
import { cacheExchange, type CacheExchangeOpts } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { graphql } from '../generated/gql.js';

/** The pair of tokens of the signed-in user. */
export interface Tokens {
  access: string | null;
  refresh: string | null;
  signedOut(): void;
}

const REFRESH = graphql(`
  mutation UrqlRefresh($refreshToken: String!) {
    refreshToken(refreshToken: $refreshToken) { __typename accessToken refreshToken }
  }
`);

export function urqlClient(url: string, tokens: Tokens, schema: CacheExchangeOpts['schema']) {
  const cache = cacheExchange({
    // The introspection of schema.graphql shows the cache which fields may be null.
    schema,
    // An object without an id is stored inside its parent.
    keys: {
      TaskConnection: () => null, TaskEdge: () => null, PageInfo: () => null, Progress: () => null,
      AuthPayload: () => null, ServerInfo: () => null, Limits: () => null, ErrorCodeInfo: () => null,
    },
    resolvers: { Query: { tasks: relayPagination() } },
    updates: {
      Mutation: {
        // The cache finds a changed task by its id. A new or deleted task changes the lists.
        createTask: (_result, _arguments, cache) => {
          for (const { fieldName, arguments: page } of cache.inspectFields('Query')) {
            if (fieldName === 'tasks') cache.invalidate('Query', fieldName, page);
          }
        },
        deleteTask: (_result, { id }, cache) => cache.invalidate({ __typename: 'Task', id: id as string }),
      },
    },
  });
  const auth = authExchange(async utilities => ({
    addAuthToOperation: operation => tokens.access
      ? utilities.appendHeaders(operation, { authorization: `Bearer ${tokens.access}` })
      : operation,
    didAuthError: error => error.graphQLErrors.some(({ extensions }) => extensions.code === 'UNAUTHENTICATED'),
    // Runs once, even if several requests failed; they are sent again afterwards.
    refreshAuth: async () => {
      const refreshToken = tokens.refresh;
      const pair = refreshToken
        ? (await utilities.mutate(REFRESH, { refreshToken })).data?.refreshToken
        : null;
      tokens.access = pair?.accessToken ?? null;
      tokens.refresh = pair?.refreshToken ?? null;
      if (!pair) tokens.signedOut();
    },
  }));
  return new Client({ url, exchanges: [cache, auth, fetchExchange], preferGetMethod: 'within-url-limit' });
}

export const SIGN_UP = graphql(`
  mutation UrqlRegister($input: RegisterInput!) {
    register(input: $input) { accessToken refreshToken user { id name } }
  }
`);

export const LIST = graphql(`
  query UrqlList($first: Int!, $after: String) {
    tasks(first: $first, after: $after) {
      edges { node { id title status completed version } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const CREATE = graphql(`
  mutation UrqlCreate($input: CreateTaskInput!) {
    createTask(input: $input) { task { id title status completed version } }
  }
`);

export const UPDATE = graphql(`
  mutation UrqlUpdate($id: ID!, $input: UpdateTaskInput!) {
    updateTask(id: $id, input: $input) { task { id title status completed version } }
  }
`);

export const DELETE = graphql(`
  mutation UrqlDelete($id: ID!) { deleteTask(id: $id) { deletedTaskId } }
`);

/** Registers a user, and keeps the pair of tokens. */
export async function signUp(client: Client, tokens: Tokens, email: string, password: string) {
  const { data, error } = await client.mutation(SIGN_UP, { input: { email, password } });
  if (error) throw error;
  tokens.access = data?.register?.accessToken ?? null;
  tokens.refresh = data?.register?.refreshToken ?? null;
}
