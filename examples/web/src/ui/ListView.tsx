// One task list: its phases or its board, and the download of its document.
import { useEffect, useRef, useState } from 'react';
import type { Clock } from '../shared/clock.js';
import type { User } from '../shared/session.js';
import type { Backend, ListSummary } from './backend.js';
import { useAttempt } from './attempt.js';
import { Board } from './Board.js';
import { Phases } from './Phases.js';

interface Props {
  user: User;
  summary: ListSummary;
  backend: Backend;
  clock: Clock;
  offline: boolean;
  onClose(): void;
}

export function ListView({ user, summary, backend, clock, offline, onClose }: Props) {
  const { failure, attempt } = useAttempt();
  const [view, setView] = useState<'phases' | 'board'>('phases');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  const download = async () => save(await backend.readMarkdown(summary.id));
  return (
    <section className="list" aria-labelledby="list">
      <div className="row">
        <button onClick={onClose}>Back to the tasks</button>
        <button disabled={offline} onClick={() => void attempt(download)}>Download</button>
        <span className="views" role="group" aria-label="View">
          <button aria-pressed={view === 'phases'} onClick={() => setView('phases')}>Phases</button>
          <button aria-pressed={view === 'board'} onClick={() => setView('board')}>Board</button>
        </span>
      </div>
      <h2 id="list" ref={heading} tabIndex={-1}>{summary.title}</h2>
      {failure && <p className="fault" role="alert">{failure.message}</p>}
      {view === 'phases'
        ? <Phases summary={summary} backend={backend} offline={offline} />
        : <Board user={user} summary={summary} backend={backend} clock={clock} offline={offline} />}
    </section>
  );
}

/** Gives the document to the browser as a file, byte for byte. */
function save(markdown: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([markdown], { type: 'text/markdown' }));
  link.download = 'tasks.md';
  link.click();
  URL.revokeObjectURL(link.href);
}
