// Tasks, their order, and what a GraphQL client for them is made of.
import type { Client as Socket } from 'graphql-ws';
import type { TaskRowFragment } from '../generated/graphql.js';
import type { Freshen } from './freshen.js';
import type { Position } from './socket.js';

export type Task = TaskRowFragment;

/** A new task, as it is shown before the server has answered. */
export const newTask = (id: string, title: string): Task => ({
  __typename: 'Task', id, title, status: 'PENDING', version: 1, createdAt: new Date().toISOString(), deletedAt: null,
  key: null, text: null, parallel: false, phase: null, stories: [],
});

/** The order of the tasks that are in no task list: newest first. */
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
