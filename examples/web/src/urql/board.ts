// The board of a task list, with urql.
import type { AnyVariables, Client, TypedDocumentNode } from '@urql/core';
import {
  AddDependencyDocument, BoardDocument, ClaimNextDocument, CompleteClaimDocument, MoreOpenDocument, MoreReadyDocument, ReadDependenciesDocument,
  ReleaseClaimDocument, RemoveDependencyDocument, RenewClaimDocument, TaskByKeyDocument, type ClaimNextTaskInput,
} from '../generated/graphql.js';
import { readFurther, type Dependencies, type Extent, type NoClaim } from '../shared/board.js';
import { toFailure } from './client.js';
import { read } from './lists.js';

async function change<Data, Variables extends AnyVariables>(client: Client, mutation: TypedDocumentNode<Data, Variables>, variables: Variables) {
  const { data, error } = await client.mutation(mutation, variables);
  if (!data || error) throw toFailure(error);
  return data;
}

/** Reads the board with so many pages of its columns, unless `isOver` becomes true after the first ones. */
export async function readBoard(client: Client, id: string, extent: Extent, isOver: () => boolean): Promise<Extent | null> {
  const { taskList } = await read(client, BoardDocument, { id });
  return readFurther(
    taskList, extent, isOver,
    async after => (await read(client, MoreReadyDocument, { id, after })).taskList!.readyTasks,
    async after => (await read(client, MoreOpenDocument, { id, after })).taskList!.open,
  );
}

/** The server decides which task it is, so nothing is shown before it answers. Null if there is a claim. */
export async function claimNext(client: Client, input: ClaimNextTaskInput): Promise<NoClaim | null> {
  const { reason, retryAt } = (await change(client, ClaimNextDocument, { input })).claimNextTask!;
  return reason && { reason, retryAt };
}

export const renewClaim = (client: Client, id: string, ttlSeconds: number) => change(client, RenewClaimDocument, { id, ttlSeconds });

export const releaseClaim = (client: Client, id: string) => change(client, ReleaseClaimDocument, { id });

export const completeClaim = (client: Client, id: string) => change(client, CompleteClaimDocument, { id });

export async function readDependencies(client: Client, id: string): Promise<Dependencies | null> {
  const { node } = await read(client, ReadDependenciesDocument, { id });
  return node?.__typename === 'Task' ? node : null;
}

export const addDependency = async (client: Client, taskId: string, blockedById: string): Promise<Dependencies> =>
  (await change(client, AddDependencyDocument, { taskId, blockedById })).addDependency!.task;

export const removeDependency = async (client: Client, taskId: string, blockedById: string): Promise<Dependencies> =>
  (await change(client, RemoveDependencyDocument, { taskId, blockedById })).removeDependency!.task;

/** The id of the task of a list that has this key. */
export const idOfTask = async (client: Client, id: string, key: string): Promise<string | undefined> =>
  (await read(client, TaskByKeyDocument, { id, key })).taskList!.tasks.edges[0]?.node.id;
