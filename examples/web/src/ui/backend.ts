// What the components need from a GraphQL client. src/apollo and src/urql each provide it.
import type { ReactNode } from 'react';
import type { ListsQuery, OneListQuery } from '../generated/graphql.js';
import type { Task } from '../shared/tasks.js';

export interface TaskList {
  /** The tasks that have been loaded, newest first, including some in the trash. Undefined until the first page has come. */
  tasks: Task[] | undefined;
  hasMore: boolean;
}

export type ListSummary = ListsQuery['taskLists']['nodes'][number];
export type List = NonNullable<OneListQuery['taskList']>;

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
  /** The newest 100 task lists, without their tasks. Undefined until they have come. */
  useLists(): ListSummary[] | undefined;
  /** A task list with its tasks, of which some may be in the trash. Undefined until `readList` has read the first page. */
  useList(id: string): List | undefined;
  readList(id: string): Promise<void>;
  importList(id: string, markdown: string): Promise<void>;
  /** Reads the document of a list, with all changes in it. */
  readMarkdown(id: string): Promise<string>;
  /** Reads the list and follows its changes. Returns a function that ends this. */
  follow(onError: (error: unknown) => void): () => void;
}
