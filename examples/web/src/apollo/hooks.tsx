// Apollo Client for the components.
import type { ApolloClient } from '@apollo/client';
import { ApolloProvider, useQuery } from '@apollo/client/react';
import { BoardDocument, ListsDocument, OneListDocument, TaskListDocument } from '../generated/graphql.js';
import { throttled } from '../shared/request.js';
import { createSignal } from '../shared/signal.js';
import type { Parts } from '../shared/tasks.js';
import type { Backend } from '../ui/backend.js';
import * as board from './board.js';
import * as changes from './changes.js';
import { createApolloClient, follow, loadMore, PAGE_SIZE, toFailure } from './client.js';
import * as lists from './lists.js';

const failing = <T,>(promise: Promise<T>) => promise.catch((error: unknown) => { throw toFailure(error); });
const done = async (promise: Promise<unknown>) => { await failing(promise); };

/** The list in the cache. `follow` reads it and keeps it in step, so this hook sends no request. */
function useTaskList() {
  const { data } = useQuery(TaskListDocument, { variables: { first: PAGE_SIZE }, fetchPolicy: 'cache-only' });
  return { tasks: data?.tasks.edges.map(({ node }) => node), hasMore: data?.tasks.pageInfo.hasNextPage ?? false };
}

/** The task lists in the cache. `follow` has them read again when they may have changed. */
function useLists() {
  return useQuery(ListsDocument, { fetchPolicy: 'cache-only' }).data?.taskLists.nodes;
}

function useList(id: string) {
  return useQuery(OneListDocument, { variables: { id }, fetchPolicy: 'cache-only' }).data?.taskList ?? undefined;
}

function useBoard(id: string) {
  return useQuery(BoardDocument, { variables: { id }, fetchPolicy: 'cache-only' }).data?.taskList ?? undefined;
}

export function apolloBackend(parts: Parts): Backend {
  const client: ApolloClient = createApolloClient(parts);
  const tasks = createSignal();
  return {
    wrap: children => <ApolloProvider client={client}>{children}</ApolloProvider>,
    useTaskList,
    loadMore: () => done(loadMore(client)),
    read: id => failing(changes.read(client, id)),
    add: (id, title) => done(changes.add(client, id, title)),
    rename: (task, title) => done(changes.rename(client, task, title)),
    setCompleted: (task, completed) => done(changes.setCompleted(client, task, completed)),
    remove: task => done(changes.remove(client, task)),
    restore: task => done(changes.restore(client, task)),
    useLists,
    useList,
    readList: (id, isOver) => failing(lists.readList(client, id, isOver)),
    importList: (id, markdown) => failing(lists.importList(client, id, markdown)),
    readMarkdown: id => failing(lists.readMarkdown(client, id)),
    useBoard,
    readBoard: (id, extent, isOver) => failing(board.readBoard(client, id, extent, isOver)),
    claimNext: input => failing(board.claimNext(client, input)),
    renewClaim: (id, ttlSeconds) => done(board.renewClaim(client, id, ttlSeconds)),
    releaseClaim: id => done(board.releaseClaim(client, id)),
    completeClaim: id => done(board.completeClaim(client, id)),
    readDependencies: id => failing(board.readDependencies(client, id)),
    addDependency: (taskId, blockedById) => failing(board.addDependency(client, taskId, blockedById)),
    removeDependency: (taskId, blockedById) => failing(board.removeDependency(client, taskId, blockedById)),
    idOfTask: (listId, key) => failing(board.idOfTask(client, listId, key)),
    onTasks: tasks.listen,
    follow: onError => follow(client, parts, onError, throttled(() => failing(lists.readLists(client))), tasks.send),
  };
}
