// urql for the components.
import { Provider, useQuery } from 'urql';
import { TaskListDocument } from '../generated/graphql.js';
import type { Parts } from '../shared/tasks.js';
import type { Backend } from '../ui/backend.js';
import * as changes from './changes.js';
import { createUrqlClient, follow, loadMore, PAGE_SIZE } from './client.js';

/** The list in the cache. `follow` reads it and keeps it in step, so this hook sends no request. */
function useTaskList() {
  const [{ data }] = useQuery({ query: TaskListDocument, variables: { first: PAGE_SIZE }, requestPolicy: 'cache-only' });
  return { tasks: data?.tasks.edges.map(({ node }) => node), hasMore: data?.tasks.pageInfo.hasNextPage ?? false };
}

export function urqlBackend(parts: Parts): Backend {
  const client = createUrqlClient(parts, changes.taskChanges);
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
    follow: onError => follow(client, parts, onError),
  };
}
