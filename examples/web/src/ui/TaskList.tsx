// The list of tasks, the form for a new one, and the undo of a deletion.
import { useState, type FormEvent } from 'react';
import type { Task } from '../shared/tasks.js';
import type { Backend } from './backend.js';
import { Failure } from '../shared/failure.js';
import type { User } from '../shared/session.js';
import { useDraft } from './drafts.js';
import { Field } from './Field.js';
import { TaskRow } from './TaskRow.js';

interface Props {
  user: User;
  backend: Backend;
  offline: boolean;
}

export function TaskList({ user, backend, offline }: Props) {
  const { tasks, hasMore } = backend.useTaskList();
  const [deleted, setDeleted] = useState<Task>();
  const [fault, setFault] = useState('');
  const [loading, setLoading] = useState(false);
  const attempt = (change: Promise<void>) => {
    setFault('');
    return change.catch((error: unknown) => setFault((error as Failure).message));
  };
  const remove = (task: Task) => attempt(backend.remove(task).then(() => setDeleted(task)));
  const undo = (task: Task) => {
    setDeleted(undefined);
    return attempt(backend.restore(task));
  };
  const loadMore = async () => {
    setLoading(true);
    await attempt(backend.loadMore());
    setLoading(false);
  };
  const shown = tasks?.filter(({ deletedAt }) => deletedAt === null);
  return (
    <>
      <NewTask user={user} backend={backend} offline={offline} />
      {fault && <p className="fault" role="alert">{fault}</p>}
      {!shown && <p>The tasks are being loaded.</p>}
      {shown?.length === 0 && !hasMore && <p className="empty">There are no tasks. Add the first one.</p>}
      <ul className="tasks" aria-label="Tasks">
        {shown?.map(task => (
          <TaskRow key={task.id} user={user} task={task} backend={backend} offline={offline}
            onComplete={completed => void attempt(backend.setCompleted(task, completed))} onDelete={() => void remove(task)} />
        ))}
      </ul>
      {hasMore && <button disabled={loading || offline} onClick={() => void loadMore()}>Load more</button>}
      {deleted && (
        <p className="undo" role="status">
          “{deleted.title}” is in the trash. <button disabled={offline} onClick={() => void undo(deleted)}>Undo</button>
        </p>
      )}
    </>
  );
}

interface NewDraft {
  /** A request that is sent again with the same id adds no second task. */
  id: string;
  title: string;
}

function NewTask({ user, backend, offline }: Props) {
  const [draft, setDraft] = useDraft<NewDraft>(`${user.id} new`);
  const [failure, setFailure] = useState<Failure>();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { id, title } = draft ?? { id: crypto.randomUUID(), title: '' };
    setFailure(undefined);
    setDraft(null);
    await backend.add(id, title).catch((error: unknown) => {
      setFailure(error as Failure);
      setDraft({ id, title });
    });
  };
  return (
    <form className="new" onSubmit={event => void submit(event)}>
      <Field label="New task" value={draft?.title ?? ''} disabled={offline} fault={failure?.at('title') ?? failure?.message}
        onChange={event => setDraft({ id: crypto.randomUUID(), title: event.target.value })} />
      <button type="submit" disabled={offline}>Add</button>
    </form>
  );
}
