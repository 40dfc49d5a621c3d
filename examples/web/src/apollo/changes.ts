// The changes that a user makes, with Apollo Client. Each is shown immediately; Apollo Client undoes it if it is refused.
import type { ApolloCache, ApolloClient } from '@apollo/client';
import { AddTaskDocument, DeleteTaskDocument, EditTaskDocument, OneTaskDocument, RestoreTaskDocument, type UpdateTaskInput } from '../generated/graphql.js';
import { newTask, type Task } from '../shared/tasks.js';
import { addToList } from './client.js';

/** The client chooses the id: a request that is sent again adds no second task. */
export function add(client: ApolloClient, id: string, title: string) {
  const task = newTask(id, title);
  return client.mutate({
    mutation: AddTaskDocument,
    variables: { input: { id, title } },
    optimisticResponse: { createTask: { __typename: 'CreateTaskPayload', task } },
    update: (cache, { data }) => addToList(cache, [{ taskId: id, task: data?.createTask?.task ?? null }]),
  });
}

function edit(client: ApolloClient, task: Task, input: UpdateTaskInput, change: Partial<Task>, expectedVersion?: number) {
  return client.mutate({
    mutation: EditTaskDocument,
    variables: { id: task.id, input, expectedVersion },
    optimisticResponse: { updateTask: { __typename: 'UpdateTaskPayload', task: { ...task, ...change } } },
  });
}

/** Changes the title of the version that the user has seen. CONFLICT if there is a later one. */
export const rename = (client: ApolloClient, task: Task, title: string) => edit(client, task, { title }, { title }, task.version);

export const setCompleted = (client: ApolloClient, task: Task, completed: boolean) =>
  edit(client, task, { completed }, { status: completed ? 'COMPLETED' : 'PENDING' });

const setDeletedAt = (cache: ApolloCache, { id }: Task, deletedAt: string | null) =>
  cache.modify({ id: cache.identify({ __typename: 'Task', id }), fields: { deletedAt: () => deletedAt } });

export function remove(client: ApolloClient, task: Task) {
  return client.mutate({
    mutation: DeleteTaskDocument,
    variables: { id: task.id },
    optimisticResponse: { deleteTask: { __typename: 'DeleteTaskPayload', deletedTaskId: task.id } },
    update: cache => setDeletedAt(cache, task, new Date().toISOString()),
  });
}

export function restore(client: ApolloClient, task: Task) {
  return client.mutate({
    mutation: RestoreTaskDocument,
    variables: { id: task.id },
    optimisticResponse: { restoreTask: { __typename: 'UpdateTaskPayload', task: { ...task, deletedAt: null } } },
    update: (cache, { data }) => addToList(cache, [{ taskId: task.id, task: data?.restoreTask?.task ?? null }]),
  });
}

export async function read(client: ApolloClient, id: string): Promise<Task | null> {
  const { data } = await client.query({ query: OneTaskDocument, variables: { id }, fetchPolicy: 'network-only' });
  return data?.node?.__typename === 'Task' ? data.node : null;
}
