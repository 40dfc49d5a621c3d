// Asks which of two titles to keep.
import { useEffect, useRef } from 'react';

interface Props {
  mine: string;
  theirs: string;
  onKeepTheirs(): void;
  onOverwrite(): void;
}

export function ConflictDialog({ mine, theirs, onKeepTheirs, onOverwrite }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  // A modal dialog keeps the focus, and gives it back when it is closed.
  useEffect(() => { if (!dialog.current?.open) dialog.current?.showModal(); }, []);
  return (
    <dialog ref={dialog} aria-labelledby="conflict" onCancel={onKeepTheirs}>
      <h2 id="conflict">The title was changed elsewhere</h2>
      <dl>
        <dt>Your title</dt>
        <dd>{mine}</dd>
        <dt>The other title</dt>
        <dd>{theirs}</dd>
      </dl>
      <div className="buttons">
        <button autoFocus onClick={onKeepTheirs}>Keep the other title</button>
        <button onClick={onOverwrite}>Overwrite it with yours</button>
      </div>
    </dialog>
  );
}
