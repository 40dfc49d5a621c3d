// urql with Graphcache and a list that follows the server.
import { Client, CombinedError, fetchExchange, gql, mapExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange, type Cache, type CacheExchangeOpts, type UpdateResolver } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { ChangesDocument, LiveTasksDocument, TaskListDocument, TaskRowFragmentDoc, type ChangesPageFragment } from '../generated/graphql.js';
import { isOlder, type Parts } from '../shared/tasks.js';
import { Failure } from '../shared/failure.js';
import { untilAnswered } from '../shared/request.js';

export const PAGE_SIZE = 20;
const RECONNECT_MS = 1_000;

/** `changes` tells the cache what mutations do. */
export function createUrqlClient(
  { url, fetch, socket, freshen }: Pick<Parts, 'url' | 'fetch' | 'socket' | 'freshen'>,
  changes: Pick<CacheExchangeOpts, 'updates' | 'optimistic'> = {},
) {
  const embedded = () => null;
  const cache = cacheExchange({
    keys: {
      TaskConnection: embedded, PageInfo: embedded, TaskChanges: embedded, TaskChange: embedded,
      CreateTaskPayload: embedded, UpdateTaskPayload: embedded, DeleteTaskPayload: embedded, ImportTaskListPayload: embedded,
      ClaimNextTaskPayload: embedded, ClaimPayload: embedded, ReleaseClaimPayload: embedded, DependencyPayload: embedded,
      TaskListConnection: embedded, Progress: embedded, Diagnostic: embedded, Story: embedded,
      TaskEdge: edge => (edge.node as { id: string }).id,
    },
    resolvers: { Query: { tasks: relayPagination() }, TaskList: { tasks: relayPagination(), readyTasks: relayPagination() } },
    updates: {
      ...changes.updates,
      Query: {
        taskChanges: (result, _, cache) => addToList(cache, (result.taskChanges as ChangesPageFragment).changes),
        tasks: (result, page, cache, info) => {
          onlyAfterThis(result, page, cache, info);
          if (page.after) return;
          // Task lists that were read before may be older than this position.
          for (const { fieldName, arguments: id } of cache.inspectFields('Query')) {
            if (fieldName === 'taskList') cache.invalidate('Query', fieldName, id);
          }
        },
      },
      TaskList: { tasks: onlyAfterThis, readyTasks: onlyAfterThis },
      Subscription: {
        taskChanges: (result, _, cache) => addToList(cache, (result.taskChanges as ChangesPageFragment).changes),
      },
    },
    optimistic: changes.optimistic,
  });
  const live = subscriptionExchange({
    forwardSubscription: ({ query, variables }) => ({
      subscribe: sink => ({ unsubscribe: socket.subscribe({ query: query!, variables }, sink as Parameters<typeof socket.subscribe>[1]) }),
    }),
  });
  // Before a result reaches the cache.
  const fresh = mapExchange({ onResult: result => ({ ...result, data: freshen(result.data) }) });
  return new Client({ url, fetch, preferGetMethod: false, exchanges: [cache, fresh, live, fetchExchange] });
}

export function toFailure(error: unknown): Failure {
  if (!(error instanceof CombinedError)) return error instanceof Failure ? error : Failure.of(null);
  return error.networkError instanceof Failure ? error.networkError : Failure.of(error.graphQLErrors);
}

const pages = (cache: Cache, of = 'Query', name = 'tasks') => cache.inspectFields(of).filter(({ fieldName }) => fieldName === name);
const filterOf = (page: object | null) => JSON.stringify(page && 'filter' in page ? page.filter : null);

/** Further pages belong to the first page that they were read after. */
const onlyAfterThis: UpdateResolver = (_, first, cache, { parentKey, fieldName }) => {
  for (const { arguments: page } of first.after ? [] : pages(cache, parentKey, fieldName)) {
    if (page?.after && filterOf(page) === filterOf(first)) cache.invalidate(parentKey, fieldName, page);
  }
};

const NEW_EDGE = gql`fragment NewEdge on TaskEdge { cursor node { id } }`;

/**
 * Graphcache stores the tasks of every result by itself. This adds the new ones to the list, newest first. A deleted task
 * keeps its place in case it is restored; the list is shown without it. The tasks of task lists have keys, and are shown there.
 */
export function addToList(cache: Cache, changes: Pick<ChangesPageFragment['changes'][number], 'taskId' | 'task'>[]) {
  const lists = pages(cache).map(({ fieldKey }) => cache.resolve('Query', fieldKey)).filter(key => typeof key === 'string');
  const taskOf = (edge: string) => {
    const node = cache.resolve(edge, 'node');
    return typeof node === 'string' ? cache.readFragment(TaskRowFragmentDoc, node) : null;
  };
  // An edge without a task was that of an optimistic task, which is no longer in the cache.
  const edgesOf = (list: string) => ((cache.resolve(list, 'edges') ?? []) as string[]).filter(taskOf);
  for (const { taskId, task } of changes) {
    const edge = `TaskEdge:${taskId}`;
    if (!task || task.deletedAt || task.key || lists.some(list => edgesOf(list).includes(edge))) continue;
    cache.writeFragment(NEW_EDGE, { __typename: 'TaskEdge', cursor: '', node: { __typename: 'Task', id: taskId } });
    const [next] = lists.flatMap(edgesOf).filter(other => isOlder(taskOf(other)!, task))
      .sort((a, b) => isOlder(taskOf(a)!, taskOf(b)!) ? 1 : -1);
    const list = lists.find(next
      ? candidate => edgesOf(candidate).includes(next)
      // Without an older task, it belongs to the end of the list, or to a page that has not been loaded.
      : candidate => cache.resolve(cache.resolve(candidate, 'pageInfo') as string, 'hasNextPage') === false);
    if (!list) continue;
    const edges = edgesOf(list);
    cache.link(list, 'edges', edges.toSpliced(next ? edges.indexOf(next) : edges.length, 0, edge));
  }
}

/** Reads the list and follows its changes. Returns a function that ends this. Calls `onTasks` when tasks may have changed, `onLists` when
 * task lists may have changed, and `onStartOver` when what the cache has of them may be later than what the server has. */
export function follow(
  client: Client, { position, freshen }: Pick<Parts, 'position' | 'freshen'>, onError: (error: unknown) => void, onLists = () => {},
  onStartOver = () => {}, onTasks = () => {},
) {
  let live: { unsubscribe(): void } | undefined;
  let ended = false;
  const readList = async () => {
    const { data, error } = await client.query(TaskListDocument, { first: PAGE_SIZE }, { requestPolicy: 'network-only' });
    if (!data) throw toFailure(error);
    return data;
  };

  const start = async () => {
    const { tasks } = await untilAnswered(() => ended, readList);
    position.cursor = tasks.syncCursor;
    onLists();
    onTasks();
    listen(position.cursor);
  };
  const listen = (after: string) => {
    if (ended) return;
    live = client.subscription(LiveTasksDocument, { after }).subscribe(({ data, error }) => {
      if (!data || error) return stop(toFailure(error));
      position.cursor = data.taskChanges.cursor;
      if (data.taskChanges.changes.length) onTasks();
      if (data.taskChanges.changes.some(({ task }) => task?.key)) onLists();
    });
  };
  const stop = (failure: Failure) => {
    live?.unsubscribe();
    if (failure.code === 'CURSOR_EXPIRED') {
      freshen.forget();
      start().then(onStartOver).catch(onError);
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
export async function loadMore(client: Client) {
  const after = client.readQuery(TaskListDocument, { first: PAGE_SIZE })?.data?.tasks.pageInfo.endCursor;
  const { data, error } = await client.query(TaskListDocument, { first: PAGE_SIZE, after }, { requestPolicy: 'network-only' });
  if (!data) throw toFailure(error);
  // The subscription keeps its own position: it has not reported everything up to this cursor yet.
  let page = { cursor: data.tasks.syncCursor, hasMore: true };
  while (page.hasMore) {
    const { data, error } = await client.query(ChangesDocument, { after: page.cursor }, { requestPolicy: 'network-only' });
    if (!data) throw toFailure(error);
    page = data.taskChanges;
  }
}
