// The tasks of one phase of a task list.
import type { Task } from '../shared/tasks.js';
import { TaskName } from './TaskName.js';

interface Props {
  label: string;
  tasks: Task[];
  offline: boolean;
  onToggle(task: Task): void;
}

export function ListTasks({ label, tasks, offline, onToggle }: Props) {
  if (tasks.length === 0) return null;
  return (
    <ul className="tasks" aria-label={label}>
      {tasks.map(task => {
        const completed = task.status === 'COMPLETED';
        return (
          <li key={task.id}>
            <label className={completed ? 'completed' : undefined}>
              <input type="checkbox" checked={completed} disabled={offline} onChange={() => onToggle(task)} />
              <TaskName task={task} />
            </label>
          </li>
        );
      })}
    </ul>
  );
}
