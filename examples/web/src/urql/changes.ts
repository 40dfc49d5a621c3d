// The changes that a user makes, with urql. Graphcache shows each immediately, and undoes it if it is refused.
import type { Client } from '@urql/core';
import { gql } from '@urql/core';
import type { Cache, CacheExchangeOpts } from '@urql/exchange-graphcache';
import {
  AddTaskDocument, DeleteTaskDocument, EditTaskDocument, OneTaskDocument, RestoreTaskDocument, TaskRowFragmentDoc, type UpdateTaskInput,
} from '../generated/graphql.js';
import { newTask, type Task } from '../shared/tasks.js';
import { addToList, toFailure } from './client.js';

const DELETED = gql`fragment Deleted on Task { id deletedAt }`;
const stored = (cache: Cache, id: unknown) => cache.readFragment(TaskRowFragmentDoc, { __typename: 'Task', id: id as string });

/** What the cache shows before the server answers, and what the list contains afterwards. */
export const taskChanges: Pick<CacheExchangeOpts, 'updates' | 'optimistic'> = {
  optimistic: {
    createTask: ({ input }) => {
      const { id, title } = input as { id: string; title: string };
      return { __typename: 'CreateTaskPayload', task: newTask(id, title) };
    },
    updateTask: ({ id, input }, cache) => {
      const { completed, ...change } = input as UpdateTaskInput;
      const status = completed === undefined ? {} : { status: completed ? 'COMPLETED' : 'PENDING' };
      return { __typename: 'UpdateTaskPayload', task: { ...stored(cache, id)!, ...change, ...status } };
    },
    deleteTask: ({ id }) => ({ __typename: 'DeleteTaskPayload', deletedTaskId: id as string }),
    restoreTask: ({ id }, cache) => ({ __typename: 'UpdateTaskPayload', task: { ...stored(cache, id)!, deletedAt: null } }),
  },
  updates: {
    Mutation: {
      createTask: (result, _, cache) => addPayload(cache, result.createTask),
      restoreTask: (result, _, cache) => addPayload(cache, result.restoreTask),
      deleteTask: (_, { id }, cache) => {
        cache.writeFragment(DELETED, { __typename: 'Task', id: id as string, deletedAt: new Date().toISOString() });
      },
    },
  },
};

function addPayload(cache: Cache, payload: unknown) {
  const { task } = (payload ?? {}) as { task?: Task };
  if (task) addToList(cache, [{ taskId: task.id, task }]);
}

async function succeeded(operation: PromiseLike<{ error?: unknown }>) {
  const { error } = await operation;
  if (error) throw toFailure(error);
}

/** The client chooses the id: a request that is sent again adds no second task. */
export const add = (client: Client, id: string, title: string) => succeeded(client.mutation(AddTaskDocument, { input: { id, title } }));

/** Changes the title of the version that the user has seen. CONFLICT if there is a later one. */
export const rename = (client: Client, { id, version }: Task, title: string) =>
  succeeded(client.mutation(EditTaskDocument, { id, input: { title }, expectedVersion: version }));

export const setCompleted = (client: Client, { id }: Task, completed: boolean) =>
  succeeded(client.mutation(EditTaskDocument, { id, input: { completed } }));

export const remove = (client: Client, { id }: Task) => succeeded(client.mutation(DeleteTaskDocument, { id }));

export const restore = (client: Client, { id }: Task) => succeeded(client.mutation(RestoreTaskDocument, { id }));

export async function read(client: Client, id: string): Promise<Task | null> {
  const { data, error } = await client.query(OneTaskDocument, { id }, { requestPolicy: 'network-only' });
  if (error) throw toFailure(error);
  return data?.node?.__typename === 'Task' ? data.node : null;
}
