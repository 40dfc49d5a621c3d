// The board of a task list, with Apollo Client.
import type { ApolloClient, OperationVariables, TypedDocumentNode } from '@apollo/client';
import {
  AddDependencyDocument, BoardDocument, ClaimNextDocument, CompleteClaimDocument, MoreOpenDocument, MoreReadyDocument, ReadDependenciesDocument,
  ReleaseClaimDocument, RemoveDependencyDocument, RenewClaimDocument, TaskByKeyDocument, type ClaimNextTaskInput,
} from '../generated/graphql.js';
import { readFurther, type Dependencies, type Extent, type NoClaim } from '../shared/board.js';

async function ask<Data, Variables extends OperationVariables>(client: ApolloClient, query: TypedDocumentNode<Data, Variables>, variables: Variables) {
  const { data } = await client.query({ query, variables, fetchPolicy: 'network-only' } as ApolloClient.QueryOptions<Data, Variables>);
  return data as Data;
}

/** Reads the board with so many pages of its columns, unless `isOver` becomes true after the first ones. */
export async function readBoard(client: ApolloClient, id: string, extent: Extent, isOver: () => boolean): Promise<Extent | null> {
  const { taskList } = await ask(client, BoardDocument, { id });
  return readFurther(
    taskList, extent, isOver,
    async after => (await ask(client, MoreReadyDocument, { id, after })).taskList!.readyTasks,
    async after => (await ask(client, MoreOpenDocument, { id, after })).taskList!.open,
  );
}

/** The server decides which task it is, so nothing is shown before it answers. Null if there is a claim. */
export async function claimNext(client: ApolloClient, input: ClaimNextTaskInput): Promise<NoClaim | null> {
  const { data } = await client.mutate({ mutation: ClaimNextDocument, variables: { input } });
  const { reason, retryAt } = data!.claimNextTask!;
  return reason && { reason, retryAt };
}

export const renewClaim = (client: ApolloClient, id: string, ttlSeconds: number) =>
  client.mutate({ mutation: RenewClaimDocument, variables: { id, ttlSeconds } });

export const releaseClaim = (client: ApolloClient, id: string) => client.mutate({ mutation: ReleaseClaimDocument, variables: { id } });

export const completeClaim = (client: ApolloClient, id: string) => client.mutate({ mutation: CompleteClaimDocument, variables: { id } });

export async function readDependencies(client: ApolloClient, id: string): Promise<Dependencies | null> {
  const { node } = await ask(client, ReadDependenciesDocument, { id });
  return node?.__typename === 'Task' ? node : null;
}

export async function addDependency(client: ApolloClient, taskId: string, blockedById: string): Promise<Dependencies> {
  const { data } = await client.mutate({ mutation: AddDependencyDocument, variables: { taskId, blockedById } });
  return data!.addDependency!.task;
}

export async function removeDependency(client: ApolloClient, taskId: string, blockedById: string): Promise<Dependencies> {
  const { data } = await client.mutate({ mutation: RemoveDependencyDocument, variables: { taskId, blockedById } });
  return data!.removeDependency!.task;
}

/** The id of the task of a list that has this key. */
export const idOfTask = async (client: ApolloClient, id: string, key: string): Promise<string | undefined> =>
  (await ask(client, TaskByKeyDocument, { id, key })).taskList!.tasks.edges[0]?.node.id;
