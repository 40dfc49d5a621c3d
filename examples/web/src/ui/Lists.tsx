// The task lists of the user, and the form to import one.
import { useEffect, useRef } from 'react';
import type { Backend } from './backend.js';
import { ImportForm } from './ImportForm.js';
import { ProgressBar } from './ProgressBar.js';

interface Props {
  backend: Backend;
  offline: boolean;
  /** The id of the list that is open. */
  open: string | undefined;
  onOpen(id: string): void;
}

export function Lists({ backend, offline, open, onOpen }: Props) {
  const lists = backend.useLists();
  const panel = useRef<HTMLDetailsElement>(null);
  const summary = useRef<HTMLElement>(null);
  const wasOpen = useRef(false);
  // The panel closes when a list is opened, and gets the focus when the list is closed.
  useEffect(() => {
    if (open) panel.current!.open = false;
    else if (wasOpen.current) summary.current!.focus();
    wasOpen.current = open !== undefined;
  }, [open]);
  return (
    <details className="panel" ref={panel}>
      <summary ref={summary}>Task lists</summary>
      {!lists && <p>The task lists are being loaded.</p>}
      {lists?.length === 0 && <p className="empty">There are no task lists. Import the first one.</p>}
      <ul className="lists" aria-label="Task lists">
        {lists?.map(({ id, title, progress }) => (
          <li key={id}>
            <button onClick={() => onOpen(id)}>{title}</button>
            <ProgressBar of={title} {...progress} />
          </li>
        ))}
      </ul>
      <ImportForm backend={backend} offline={offline} onImported={onOpen} />
    </details>
  );
}
