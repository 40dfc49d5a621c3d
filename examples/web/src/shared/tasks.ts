// Tasks, their order, and what a GraphQL client for them is made of.
import type { Client as Socket } from 'graphql-ws';
import type { TaskRowFragment } from '../generated/graphql.js';
import type { Freshen } from './freshen.js';
import type { Position } from './socket.js';

export type Task = TaskRowFragment;

/** The order of the list: newest first. */
export const isOlder = (a: Pick<Task, 'createdAt' | 'id'>, b: Pick<Task, 'createdAt' | 'id'>) =>
  a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id);

export interface Parts {
  url: string;
  /** Sends requests with the token of the session. */
  fetch: typeof fetch;
  socket: Socket;
  position: Position;
  freshen: Freshen;
}
