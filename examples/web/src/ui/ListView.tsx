// One task list: its phases with their progress, its tasks, what is strange about its document, and the download of it.
import { useEffect, useRef, useState } from 'react';
import type { Task } from '../shared/tasks.js';
import type { Backend, List, ListSummary } from './backend.js';
import type { Failure } from '../shared/failure.js';
import { untilAnswered } from '../shared/request.js';
import { useAttempt } from './attempt.js';
import { Diagnostics } from './Diagnostics.js';
import { ListTasks } from './ListTasks.js';
import { ProgressBar } from './ProgressBar.js';

interface Props {
  summary: ListSummary;
  backend: Backend;
  offline: boolean;
  onClose(): void;
}

/** Keeps a list in step, and returns its newest complete state. While it is read again, the state before is returned. */
function useFollowedList({ id, version, progress }: ListSummary, backend: Backend) {
  const list = backend.useList(id);
  const complete = useRef<List>(undefined);
  const reading = useRef(Promise.resolve());
  const read = useRef('');
  const [failure, setFailure] = useState<Failure>();
  // Which tasks a list has, and in which order, changes only together with its version or the number of its tasks. The list is
  // also read when it is not in the cache.
  const wanted = `${version} ${progress.total}`;
  const missing = list === undefined;
  useEffect(() => {
    if (!missing && read.current === wanted) return;
    read.current = wanted;
    setFailure(undefined);
    const isOver = () => read.current !== wanted;
    reading.current = reading.current
      .then(() => isOver() ? undefined : untilAnswered(isOver, () => backend.readList(id)))
      .catch((error: unknown) => { if (!isOver()) setFailure(error as Failure); });
  }, [backend, id, wanted, missing]);
  useEffect(() => () => { read.current = ''; }, []);
  if (list && !list.tasks.pageInfo.hasNextPage) complete.current = list;
  return { list: complete.current ?? list, failure };
}

export function ListView({ summary, backend, offline, onClose }: Props) {
  const { failure, attempt } = useAttempt();
  const { list, failure: readFailure } = useFollowedList(summary, backend);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  const tasks = list?.tasks.edges.map(({ node }) => node).filter(({ deletedAt }) => deletedAt === null);
  const toggle = (task: Task) => void attempt(() => backend.setCompleted(task, task.status !== 'COMPLETED'));
  const download = async () => save(await backend.readMarkdown(summary.id));
  return (
    <section className="list" aria-labelledby="list">
      <div className="row">
        <button onClick={onClose}>Back to the tasks</button>
        <button disabled={offline} onClick={() => void attempt(download)}>Download</button>
      </div>
      <h2 id="list" ref={heading} tabIndex={-1}>{summary.title}</h2>
      {(failure ?? readFailure) && <p className="fault" role="alert">{(failure ?? readFailure)!.message}</p>}
      {list && tasks ? (
        <>
          <ProgressBar of={summary.title} {...progressOf(tasks)} />
          <Diagnostics diagnostics={list.diagnostics} />
          <ListTasks label="Tasks without a phase" tasks={tasks.filter(({ phase }) => !phase)} offline={offline} onToggle={toggle} />
          {list.phases.map(phase => {
            const own = tasks.filter(task => task.phase?.id === phase.id);
            const name = [phase.number && `Phase ${phase.number}`, phase.title].filter(Boolean).join(': ');
            return (
              <section key={phase.id} aria-label={name}>
                <h3>{name}</h3>
                <ProgressBar of={name} {...progressOf(own)} />
                <ListTasks label={`Tasks of ${name}`} tasks={own} offline={offline} onToggle={toggle} />
              </section>
            );
          })}
        </>
      ) : <p>The task list is being loaded.</p>}
    </section>
  );
}

const progressOf = (tasks: Task[]) => ({ done: tasks.filter(({ status }) => status === 'COMPLETED').length, total: tasks.length });

/** Gives the document to the browser as a file, byte for byte. */
function save(markdown: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([markdown], { type: 'text/markdown' }));
  link.download = 'tasks.md';
  link.click();
  URL.revokeObjectURL(link.href);
}
