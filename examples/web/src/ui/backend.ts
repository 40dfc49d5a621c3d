// What the components need from a GraphQL client. src/apollo and src/urql each provide it.
import type { ReactNode } from 'react';
import type { Task } from '../shared/tasks.js';

export interface TaskList {
  /** The tasks that have been loaded, newest first, including some in the trash. Undefined until the first page has come. */
  tasks: Task[] | undefined;
  hasMore: boolean;
}

/** Each change is visible immediately. If it is refused, it is undone and the promise is rejected with a Failure. */
export interface Backend {
  /** Makes the client available to the hooks. */
  wrap(children: ReactNode): ReactNode;
  useTaskList(): TaskList;
  loadMore(): Promise<void>;
  /** Reads a task from the server; null if it does not exist or is in the trash. */
  read(id: string): Promise<Task | null>;
  add(id: string, title: string): Promise<void>;
  rename(task: Task, title: string): Promise<void>;
  setCompleted(task: Task, completed: boolean): Promise<void>;
  remove(task: Task): Promise<void>;
  restore(task: Task): Promise<void>;
  /** Reads the list and follows its changes. Returns a function that ends this. */
  follow(onError: (error: unknown) => void): () => void;
}
