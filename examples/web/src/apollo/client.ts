// Apollo Client with a list that follows the server.
import {
  ApolloClient, ApolloLink, CombinedGraphQLErrors, CombinedProtocolErrors, HttpLink, InMemoryCache, type ApolloCache, type Reference,
} from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { map } from 'rxjs';
import { ChangesDocument, LiveTasksDocument, TaskListDocument, type ChangesPageFragment } from '../generated/graphql.js';
import { isOlder, type Parts } from '../shared/tasks.js';
import type { Freshen } from '../shared/freshen.js';
import { Failure } from '../shared/failure.js';
import { untilAnswered } from '../shared/request.js';

export const PAGE_SIZE = 20;
const RECONNECT_MS = 1_000;

/** Takes old states of tasks out of every result, before the cache sees it. */
export const freshenLink = (freshen: Freshen) => new ApolloLink((operation, forward) => forward(operation).pipe(
  map(result => ({ ...result, data: freshen(result.data) }) as typeof result),
));

export const createCache = () => new InMemoryCache({
  typePolicies: {
    Query: { fields: { tasks: relayStylePagination(['filter', 'orderBy']) } },
    TaskList: {
      fields: {
        tasks: relayStylePagination(['filter', 'orderBy']), readyTasks: relayStylePagination(),
        claims: { merge: false }, diagnostics: { merge: false },
      },
    },
    Task: { fields: { stories: { merge: false }, waitsFor: { merge: false }, blockedBy: { merge: false } } },
  },
});

export function createApolloClient({ url, fetch, socket, freshen }: Pick<Parts, 'url' | 'fetch' | 'socket' | 'freshen'>) {
  const transport = ApolloLink.split(
    ({ operationType }) => operationType === 'subscription',
    new GraphQLWsLink(socket),
    new HttpLink({ uri: url, fetch }),
  );
  return new ApolloClient({ link: ApolloLink.from([freshenLink(freshen), transport]), cache: createCache() });
}

export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return Failure.of(CombinedGraphQLErrors.is(error) || CombinedProtocolErrors.is(error) ? error.errors : null);
}

interface StoredList {
  edges: { __typename: 'TaskEdge'; cursor: string; node: Reference }[];
  pageInfo: { hasNextPage: boolean };
}

/**
 * Apollo Client stores the tasks of every result by itself. This adds the new ones to the list, newest first. A deleted task
 * keeps its place in case it is restored; the list is shown without it. The tasks of task lists have keys, and are shown there.
 */
export function addToList(cache: ApolloCache, changes: Pick<ChangesPageFragment['changes'][number], 'taskId' | 'task'>[]) {
  cache.modify<{ tasks: StoredList }>({
    fields: {
      tasks(list, { readField, toReference }) {
        const { pageInfo } = list as StoredList;
        let { edges } = list as StoredList;
        for (const { taskId, task } of changes) {
          const listed = edges.some(({ node }) => readField('id', node) === taskId);
          if (!task || task.deletedAt || task.key || listed) continue;
          const edge = { __typename: 'TaskEdge' as const, cursor: '', node: toReference({ __typename: 'Task', id: taskId })! };
          const older = edges.findIndex(({ node }) => isOlder({ id: readField('id', node)!, createdAt: readField('createdAt', node)! }, task));
          if (older >= 0) edges = edges.toSpliced(older, 0, edge);
          // Otherwise the task belongs to a page that has not been loaded.
          else if (!pageInfo.hasNextPage) edges = [...edges, edge];
        }
        return { ...list, edges } as typeof list;
      },
    },
  });
}

/** Reads the list and follows its changes. Returns a function that ends this. Calls `onTasks` when tasks may have changed, and
 * `onLists` when task lists may have changed. */
export function follow(
  client: ApolloClient, { position, freshen }: Pick<Parts, 'position' | 'freshen'>, onError: (error: unknown) => void, onLists = () => {},
  onTasks = () => {},
) {
  let live: { unsubscribe(): void } | undefined;
  let ended = false;
  const readList = () => client
    .query({ query: TaskListDocument, variables: { first: PAGE_SIZE }, fetchPolicy: 'network-only' })
    .catch((error: unknown) => { throw toFailure(error); });

  const start = async () => {
    const { data } = await untilAnswered(() => ended, readList);
    position.cursor = data!.tasks.syncCursor;
    // Task lists that were read before may be older than this position.
    client.cache.evict({ fieldName: 'taskList' });
    onLists();
    onTasks();
    listen(position.cursor);
  };
  const listen = (after: string) => {
    if (ended) return;
    live = client.subscribe({ query: LiveTasksDocument, variables: { after } }).subscribe({
      next: ({ data, error }) => {
        if (!data || error) return stop(toFailure(error));
        addToList(client.cache, data.taskChanges.changes);
        position.cursor = data.taskChanges.cursor;
        if (data.taskChanges.changes.length) onTasks();
        if (data.taskChanges.changes.some(({ task }) => task?.key)) onLists();
      },
      // The stream was cut. With a WebSocket this does not happen: graphql-ws connects again by itself.
      complete: () => stop(Failure.of(null)),
    });
  };
  const stop = (failure: Failure) => {
    live?.unsubscribe();
    if (failure.code === 'CURSOR_EXPIRED') {
      freshen.forget();
      start().catch(onError);
    } else if (failure.isTemporary) {
      setTimeout(() => listen(position.cursor!), RECONNECT_MS);
    } else {
      onError(failure);
    }
  };
  start().catch(onError);
  return () => {
    ended = true;
    live?.unsubscribe();
  };
}

/** Reads the next page of the list, and then what has changed while it was on its way. */
export async function loadMore(client: ApolloClient) {
  const after = client.readQuery({ query: TaskListDocument, variables: { first: PAGE_SIZE } })?.tasks.pageInfo.endCursor;
  const { data } = await client.query({ query: TaskListDocument, variables: { first: PAGE_SIZE, after }, fetchPolicy: 'network-only' });
  // The subscription keeps its own position: it has not reported everything up to this cursor yet.
  let page = { cursor: data!.tasks.syncCursor, hasMore: true };
  while (page.hasMore) {
    const { data } = await client.query({ query: ChangesDocument, variables: { after: page.cursor }, fetchPolicy: 'network-only' });
    page = data!.taskChanges;
    addToList(client.cache, data!.taskChanges.changes);
  }
}
