// The part of a single-page app that talks to taskhold, with Apollo Client 4. docs/clients.md shows this code.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { relayStylePagination } from '@apollo/client/utilities';
import { graphql } from '../generated/gql.js';

/** Where the app keeps the token of the signed-in user: in memory or in sessionStorage. */
export interface Session {
  token: string | null;
  signedOut(): void;
}

export function apolloClient(uri: string, session: Session) {
  // Every request carries the token. register and login ignore an invalid one.
  const auth = new SetContextLink(({ headers }) => ({
    headers: session.token ? { ...headers, authorization: `Bearer ${session.token}` } : headers,
  }));
  // Every error has a code. UNAUTHENTICATED means that the user must sign in again.
  const errors = new ErrorLink(({ error }) => {
    if (codes(error).includes('UNAUTHENTICATED')) {
      session.token = null;
      session.signedOut();
    }
  });
  // Queries use GET, mutations use POST.
  const http = new HttpLink({ uri, useGETForQueries: true });
  return new ApolloClient({
    link: ApolloLink.from([errors, auth, http]),
    cache: new InMemoryCache({
      typePolicies: {
        Query: { fields: { tasks: relayStylePagination(['filter', 'orderBy']) } },
      },
    }),
  });
}

/** The codes of an error: BAD_USER_INPUT, CONFLICT, … */
export function codes(error: unknown): unknown[] {
  return CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions?.code) : [];
}

export const REGISTER = graphql(`
  mutation AppRegister($input: RegisterInput!) {
    register(input: $input) { accessToken user { id name } }
  }
`);

export const TASK_LIST = graphql(`
  query AppTaskList($first: Int!, $after: String, $filter: TaskFilter) {
    tasks(first: $first, after: $after, filter: $filter) {
      edges { node { id title status completed version } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const ADD_TASK = graphql(`
  mutation AppAddTask($input: CreateTaskInput!) {
    createTask(input: $input) { task { id title status completed version } }
  }
`);

export const CHANGE_TASK = graphql(`
  mutation AppChangeTask($id: ID!, $input: UpdateTaskInput!, $expectedVersion: Int) {
    updateTask(id: $id, input: $input, expectedVersion: $expectedVersion) {
      task { id title status completed version }
    }
  }
`);

/** Registers a user, and keeps the token. */
export async function register(client: ReturnType<typeof apolloClient>, session: Session, email: string, password: string) {
  const { data } = await client.mutate({ mutation: REGISTER, variables: { input: { email, password } } });
  session.token = data?.register?.accessToken ?? null;
}

/** Loads all pages of the list. `show` gets the titles after each page, and after every change of the list. */
export async function allPages(client: ReturnType<typeof apolloClient>, show: (titles: string[]) => void) {
  const list = client.watchQuery({ query: TASK_LIST, variables: { first: 3 } });
  const subscription = list.subscribe(({ data, dataState }) => {
    if (dataState === 'complete') show(data.tasks.edges.map(({ node }) => node.title));
  });
  let { data } = await client.query({ query: TASK_LIST, variables: { first: 3 } });
  while (data?.tasks.pageInfo.hasNextPage) {
    ({ data } = await list.fetchMore({ variables: { after: data.tasks.pageInfo.endCursor } }));
  }
  return subscription;
}

/** Changes the title. If the task has changed since, returns its current version instead. */
export async function rename(client: ReturnType<typeof apolloClient>, task: { id: string; version: number }, title: string) {
  try {
    await client.mutate({
      mutation: CHANGE_TASK,
      variables: { id: task.id, input: { title }, expectedVersion: task.version },
    });
    return null;
  } catch (error) {
    if (!CombinedGraphQLErrors.is(error) || !codes(error).includes('CONFLICT')) throw error;
    return error.errors[0].extensions?.currentVersion as number;
  }
}
