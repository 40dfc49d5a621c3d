// Renames a task without overwriting the change of another client, and without asking the user when there is no need.
import type { Task } from '../shared/tasks.js';
import type { Backend } from './backend.js';
import { Failure, NOT_ANSWERED } from '../shared/failure.js';

/**
 * `task` is the state that the user has seen. Returns the present state if its title was changed by someone else, so that the
 * user has to choose; otherwise undefined.
 */
export async function rename(backend: Pick<Backend, 'rename' | 'read'>, task: Task, title: string): Promise<Task | undefined> {
  try {
    await backend.rename(task, title);
    return undefined;
  } catch (error) {
    const { code } = error as Failure;
    if (code !== 'CONFLICT' && code !== NOT_ANSWERED) throw error;
    const present = await backend.read(task.id);
    if (!present) throw new Failure('The task has been deleted.', 'NOT_FOUND');
    // The request has succeeded, but its response was lost.
    if (present.title === title) return undefined;
    if (present.title !== task.title) return present;
    // Only something else has changed, or nothing: the new title can be saved.
    if (present.version === task.version) throw error;
    return rename(backend, present, title);
  }
}
