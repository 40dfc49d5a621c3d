// urql for the components.
import { Provider, useQuery } from 'urql';
import { BoardDocument, ListsDocument, OneListDocument, TaskListDocument } from '../generated/graphql.js';
import { throttled, untilAnswered } from '../shared/request.js';
import { createSignal } from '../shared/signal.js';
import type { Parts } from '../shared/tasks.js';
import type { Backend } from '../ui/backend.js';
import * as board from './board.js';
import * as changes from './changes.js';
import { createUrqlClient, follow, loadMore, PAGE_SIZE } from './client.js';
import * as lists from './lists.js';

const done = async (promise: Promise<unknown>) => { await promise; };

/** The list in the cache. `follow` reads it and keeps it in step, so this hook sends no request. */
function useTaskList() {
  const [{ data }] = useQuery({ query: TaskListDocument, variables: { first: PAGE_SIZE }, requestPolicy: 'cache-only' });
  return { tasks: data?.tasks.edges.map(({ node }) => node), hasMore: data?.tasks.pageInfo.hasNextPage ?? false };
}

/** The task lists in the cache. `follow` has them read again when they may have changed. */
function useLists() {
  return useQuery({ query: ListsDocument, requestPolicy: 'cache-only' })[0].data?.taskLists.nodes;
}

function useList(id: string) {
  return useQuery({ query: OneListDocument, variables: { id }, requestPolicy: 'cache-only' })[0].data?.taskList ?? undefined;
}

function useBoard(id: string) {
  return useQuery({ query: BoardDocument, variables: { id }, requestPolicy: 'cache-only' })[0].data?.taskList ?? undefined;
}

export function urqlBackend(parts: Parts): Backend {
  const client = createUrqlClient(parts, changes.taskChanges);
  const opened = new Set<string>();
  const readList = (id: string, isOver?: () => boolean) => {
    opened.add(id);
    return lists.readList(client, id, isOver);
  };
  const readOpenedAgain = () => Promise.all([...opened].map(id => untilAnswered(() => false, () => readList(id)))).then(() => {}, () => {});
  const tasks = createSignal();
  return {
    wrap: children => <Provider value={client}>{children}</Provider>,
    useTaskList,
    loadMore: () => loadMore(client),
    read: id => changes.read(client, id),
    add: (id, title) => changes.add(client, id, title),
    rename: (task, title) => changes.rename(client, task, title),
    setCompleted: (task, completed) => changes.setCompleted(client, task, completed),
    remove: task => changes.remove(client, task),
    restore: task => changes.restore(client, task),
    useLists,
    useList,
    readList,
    importList: (id, markdown) => lists.importList(client, id, markdown),
    readMarkdown: id => lists.readMarkdown(client, id),
    useBoard,
    readBoard: (id, extent, isOver) => board.readBoard(client, id, extent, isOver),
    claimNext: input => board.claimNext(client, input),
    renewClaim: (id, ttlSeconds) => done(board.renewClaim(client, id, ttlSeconds)),
    releaseClaim: id => done(board.releaseClaim(client, id)),
    completeClaim: id => done(board.completeClaim(client, id)),
    readDependencies: id => board.readDependencies(client, id),
    addDependency: (taskId, blockedById) => board.addDependency(client, taskId, blockedById),
    removeDependency: (taskId, blockedById) => board.removeDependency(client, taskId, blockedById),
    idOfTask: (listId, key) => board.idOfTask(client, listId, key),
    onTasks: tasks.listen,
    follow: onError => follow(
      client, parts, onError, throttled(() => lists.readLists(client)), () => void readOpenedAgain(), tasks.send,
    ),
  };
}
