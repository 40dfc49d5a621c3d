// On which tasks a task depends directly. Dependencies can be added, and those that were added can be removed.
import { useEffect, useState, type FormEvent } from 'react';
import type { Dependencies as TaskWithDependencies } from '../shared/board.js';
import { Failure } from '../shared/failure.js';
import { untilAnswered } from '../shared/request.js';
import type { Task } from '../shared/tasks.js';
import { textOf, useAttempt } from './attempt.js';
import type { Backend } from './backend.js';
import { Field } from './Field.js';

interface Props {
  task: Task;
  /** The id of the list in which keys are looked up. */
  listId: string;
  backend: Backend;
  offline: boolean;
}

export function Dependencies({ task, listId, backend, offline }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <details className="dependencies" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary aria-label={`Dependencies of ${task.key}`}>Dependencies</summary>
      {open && <Content task={task} listId={listId} backend={backend} offline={offline} />}
    </details>
  );
}

function Content({ task, listId, backend, offline }: Props) {
  const { busy, failure, attempt } = useAttempt();
  const [known, setKnown] = useState<TaskWithDependencies | null>();
  const [readFailure, setReadFailure] = useState<Failure>();
  useEffect(() => {
    let isOver = false;
    untilAnswered(() => isOver, () => backend.readDependencies(task.id))
      .then(read => { if (!isOver) setKnown(read); }, (error: unknown) => { if (!isOver) setReadFailure(error as Failure); });
    return () => { isOver = true; };
  }, [backend, task.id, task.version]);

  const add = async (form: HTMLFormElement) => {
    const key = textOf(form, 'key').trim();
    const other = key && await backend.idOfTask(listId, key);
    if (!other) throw new Failure(key ? `The list has no task ${key}.` : 'Enter the key of a task.', 'NOT_FOUND');
    setKnown(await backend.addDependency(task.id, other));
    form.reset();
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    void attempt(() => add(form));
  };
  return (
    <>
      {known?.blockedBy.length === 0 && <p className="remark">The task itself depends on no other.</p>}
      <ul className="keys" aria-label={`Dependencies of ${task.key}`}>
        {known?.blockedBy.map(({ id, key, title, status }) => (
          <li key={id}>
            <span><b>{key ?? `“${title}”`}</b>{status === 'COMPLETED' && ' (done)'}</span>
            <button disabled={busy || offline} aria-label={`Remove the dependency on ${key ?? title}`}
              onClick={() => void attempt(async () => setKnown(await backend.removeDependency(task.id, id)))}>Remove</button>
          </li>
        ))}
      </ul>
      <form className="row" onSubmit={submit}>
        <Field label="Key of another task" name="key" autoComplete="off" disabled={offline} fault={(failure ?? readFailure)?.message} />
        <button type="submit" disabled={busy || offline}>Add</button>
      </form>
    </>
  );
}
