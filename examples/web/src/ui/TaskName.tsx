// What a line of a task list has of a task: its key, its marks and its text.
import { Fragment } from 'react';
import type { Task } from '../shared/tasks.js';

export function TaskName({ task }: { task: Task }) {
  return (
    <>
      <b>{task.key}</b>{' '}
      {task.parallel && <><abbr title="can be done at the same time as its neighbours">[P]</abbr>{' '}</>}
      {task.stories.map(({ key }) => <Fragment key={key}><abbr title="user story">{key}</abbr>{' '}</Fragment>)}
      <span>{task.text}</span>
    </>
  );
}
