// One task of the list.
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { Task } from '../shared/tasks.js';
import type { Backend } from './backend.js';
import { Failure } from '../shared/failure.js';
import type { User } from '../shared/session.js';
import { ConflictDialog } from './ConflictDialog.js';
import { useDraft } from './drafts.js';
import { Field } from './Field.js';
import { rename } from './rename.js';

interface Props {
  user: User;
  task: Task;
  backend: Backend;
  offline: boolean;
  onComplete(completed: boolean): void;
  onDelete(): void;
}

interface Draft {
  title: string;
  /** The task as it was when the user began to type. */
  seen: Task;
}

export function TaskRow({ user, task, backend, offline, onComplete, onDelete }: Props) {
  const [draft, setDraft] = useDraft<Draft>(`${user.id} ${task.id}`);
  const [failure, setFailure] = useState<Failure>();
  const [conflict, setConflict] = useState<{ mine: string; theirs: Task }>();
  const renameButton = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);

  useEffect(() => {
    if (wasEditing.current && !draft && !conflict) renameButton.current?.focus();
    wasEditing.current = Boolean(draft ?? conflict);
  }, [draft, conflict]);

  const save = async (seen: Task, title: string) => {
    setFailure(undefined);
    setDraft(null);
    setConflict(undefined);
    try {
      const theirs = await rename(backend, seen, title);
      if (theirs) setConflict({ mine: title, theirs });
    } catch (error) {
      setFailure(error as Failure);
      setDraft({ title, seen });
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft) void save(draft.seen, draft.title.trim());
  };

  if (draft) {
    return (
      <li>
        <form className="rename" onSubmit={submit} onKeyDown={({ key }) => key === 'Escape' && setDraft(null)}>
          <Field label={`New title of ${draft.seen.title}`} autoFocus value={draft.title} disabled={offline}
            fault={failure?.at('title') ?? failure?.message} onChange={event => setDraft({ ...draft, title: event.target.value })} />
          <button type="submit" disabled={offline}>Save</button>
          <button type="button" onClick={() => setDraft(null)}>Cancel</button>
        </form>
      </li>
    );
  }
  const completed = task.status === 'COMPLETED';
  return (
    <li>
      <label className={completed ? 'completed' : undefined}>
        <input type="checkbox" checked={completed} disabled={offline} onChange={() => onComplete(!completed)} />
        <span>{task.title}</span>
      </label>
      <button ref={renameButton} disabled={offline} aria-label={`Rename ${task.title}`}
        onClick={() => setDraft({ title: task.title, seen: task })}>Rename</button>
      <button disabled={offline} aria-label={`Delete ${task.title}`} onClick={onDelete}>Delete</button>
      {conflict && (
        <ConflictDialog mine={conflict.mine} theirs={conflict.theirs.title}
          onKeepTheirs={() => setConflict(undefined)} onOverwrite={() => void save(conflict.theirs, conflict.mine)} />
      )}
    </li>
  );
}
