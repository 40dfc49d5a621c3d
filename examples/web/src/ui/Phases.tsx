// The phases of a task list with their progress, its tasks, and what is strange about its document.
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
      .then(() => isOver() ? undefined : untilAnswered(isOver, () => backend.readList(id, isOver)))
      .catch((error: unknown) => { if (!isOver()) setFailure(error as Failure); });
  }, [backend, id, wanted, missing]);
  useEffect(() => () => { read.current = ''; }, []);
  if (list && !list.tasks.pageInfo.hasNextPage) complete.current = list;
  return { list: complete.current ?? list, failure };
}

export function Phases({ summary, backend, offline }: Props) {
  const { failure, attempt } = useAttempt();
  const { list, failure: readFailure } = useFollowedList(summary, backend);

  const fault = failure ?? readFailure;
  const alert = fault && <p className="fault" role="alert">{fault.message}</p>;
  if (!list) return alert ?? <p>The task list is being loaded.</p>;
  const tasks = list.tasks.edges.map(({ node }) => node).filter(({ deletedAt }) => deletedAt === null);
  const toggle = (task: Task) => void attempt(() => backend.setCompleted(task, task.status !== 'COMPLETED'));
  return (
    <>
      {alert}
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
  );
}

const progressOf = (tasks: Task[]) => ({ done: tasks.filter(({ status }) => status === 'COMPLETED').length, total: tasks.length });
