// What the components need from a GraphQL client. src/apollo and src/urql each provide it.
import type { ReactNode } from 'react';
import type { ClaimNextTaskInput, ListsQuery, OneListQuery } from '../generated/graphql.js';
import type { Board, Dependencies, Extent, NoClaim } from '../shared/board.js';
import type { Task } from '../shared/tasks.js';

export interface TaskList {
  /** The tasks that have been loaded, newest first, including some in the trash. Undefined until the first page has come. */
  tasks: Task[] | undefined;
  hasMore: boolean;
}

export type ListSummary = ListsQuery['taskLists']['nodes'][number];
export type List = NonNullable<OneListQuery['taskList']>;

/** Each change of a task is visible immediately. If it is refused, it is undone and the promise is rejected with a Failure. */
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
  /** Reads a list with all its tasks, unless `isOver` becomes true before the last page. */
  readList(id: string, isOver?: () => boolean): Promise<void>;
  importList(id: string, markdown: string): Promise<void>;
  /** Reads the document of a list, with all changes in it. */
  readMarkdown(id: string): Promise<string>;
  /** The board of a list, with the pages that were read. Undefined until `readBoard` has read the first ones. */
  useBoard(id: string): Board | undefined;
  /** Reads the board with so many pages of its columns. Returns how many there are; null if `isOver` became true after the first ones. */
  readBoard(id: string, extent: Extent, isOver: () => boolean): Promise<Extent | null>;
  /** Claims the next task of a list. Null if there is a claim; it is on the board when this was read again. */
  claimNext(input: ClaimNextTaskInput): Promise<NoClaim | null>;
  renewClaim(id: string, ttlSeconds: number): Promise<void>;
  releaseClaim(id: string): Promise<void>;
  completeClaim(id: string): Promise<void>;
  /** A task with the tasks on which it depends directly; null if it does not exist. */
  readDependencies(id: string): Promise<Dependencies | null>;
  addDependency(taskId: string, blockedById: string): Promise<Dependencies>;
  removeDependency(taskId: string, blockedById: string): Promise<Dependencies>;
  /** The id of the task of a list that has this key. */
  idOfTask(listId: string, key: string): Promise<string | undefined>;
  /** Calls the function whenever tasks may have changed. Returns a function that ends this. */
  onTasks(listener: () => void): () => void;
  /** Reads the list and follows its changes. Returns a function that ends this. */
  follow(onError: (error: unknown) => void): () => void;
}
