// How many tasks of a list or of a phase are completed.
interface Props {
  /** The name of the list or the phase. */
  of: string;
  done: number;
  total: number;
}

export function ProgressBar({ of, done, total }: Props) {
  return (
    <span className="progress">
      <progress aria-label={`Progress of ${of}`} value={done} max={Math.max(total, 1)} />
      <span>{done} of {total}</span>
    </span>
  );
}
