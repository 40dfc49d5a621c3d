// The board of a task list: which tasks are ready, claimed, not ready and done, and the claims of the user.
import { useEffect, useRef, useState, type ReactNode } from 'react';
import {
  columnsOf, createReader, firstExpiry, untilExpiry, whilePartial, type Board as Columns, type BoardClaim, type Extent, type NoClaim, type OpenTask,
} from '../shared/board.js';
import type { Clock } from '../shared/clock.js';
import { Failure } from '../shared/failure.js';
import type { User } from '../shared/session.js';
import type { Task } from '../shared/tasks.js';
import { useAttempt } from './attempt.js';
import type { Backend, ListSummary } from './backend.js';
import { Dependencies } from './Dependencies.js';
import { ProgressBar } from './ProgressBar.js';
import { TaskName } from './TaskName.js';

interface Props {
  user: User;
  summary: ListSummary;
  backend: Backend;
  clock: Clock;
  offline: boolean;
}

/** After this time the further pages of a column are read to their end, even if there are changes meanwhile. */
const LONGEST_DELAY_MS = 15_000;

/** Keeps a board in step: it is read again after changes of tasks, and when a claim expires. */
function useFollowedBoard(id: string, backend: Backend, clock: Clock) {
  const board = backend.useBoard(id);
  const shown = useRef<Columns>(undefined);
  const extent = useRef<Extent>({ ready: 1, open: 1, search: false });
  const isPartial = useRef(false);
  const refresh = useRef(() => {});
  const [end, setEnd] = useState<{ failure?: Failure }>();
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    let partialSince = 0;
    const read = async (isRepeated: () => boolean) => {
      isPartial.current = true;
      partialSince ||= Date.now();
      const asked = extent.current;
      // After a further change, the first pages are more urgent than the rest, but not for ever.
      const result = await backend.readBoard(id, asked, () => isRepeated() && Date.now() - partialSince < LONGEST_DELAY_MS);
      if (!result) return;
      partialSince = 0;
      isPartial.current = false;
      const { ready, open } = result;
      // Meanwhile the user may have asked for more.
      const { current } = extent;
      extent.current = { ready: Math.max(ready, current.ready), open: Math.max(open, current.open), search: current.search && current !== asked };
    };
    const reader = createReader(read, failure => {
      setEnd({ failure });
      if (failure || !isPartial.current) setAsking(false);
    });
    const unlisten = backend.onTasks(reader.refresh);
    refresh.current = reader.refresh;
    reader.refresh();
    return () => {
      unlisten();
      reader.end();
    };
  }, [backend, id]);
  const missing = board === undefined;
  useEffect(() => { if (missing) refresh.current(); }, [missing]);
  if (board) shown.current = isPartial.current && shown.current ? whilePartial(board, shown.current, extent.current) : board;
  const columns = shown.current && columnsOf(shown.current);

  const expiry = columns && firstExpiry(columns.claims);
  useEffect(() => {
    if (expiry === undefined) return;
    const timer = setTimeout(() => refresh.current(), untilExpiry(expiry, clock.now()));
    return () => clearTimeout(timer);
  }, [clock, expiry, end]);

  const more = (change: Partial<Extent>) => {
    extent.current = { ...extent.current, ...change };
    setAsking(true);
    refresh.current();
  };
  return {
    columns, failure: end?.failure, refresh: () => refresh.current(), isAsking,
    showMoreReady: () => more({ ready: extent.current.ready + 1 }), showMoreOpen: () => more({ open: extent.current.open + 1, search: true }),
    moreReady: shown.current?.readyTasks.pageInfo.hasNextPage ?? false,
    moreOpen: shown.current?.open.pageInfo.hasNextPage ?? false, openRead: shown.current?.open.edges.length ?? 0,
  };
}

const DURATIONS = { '5 minutes': 300, '15 minutes': 900, '1 hour': 3_600, '8 hours': 28_800 };
const CLAIMS_PAGE = 25;

export function Board({ user, summary: { id, title, progress }, backend, clock, offline }: Props) {
  const { columns, failure: readFailure, refresh, isAsking, moreReady, showMoreReady, moreOpen, showMoreOpen, openRead } = useFollowedBoard(id, backend, clock);
  const { busy, failure, attempt } = useAttempt();
  const [ttlSeconds, setTtlSeconds] = useState(DURATIONS['15 minutes']);
  const [answer, setAnswer] = useState('');
  const [claimsShown, setClaimsShown] = useState(CLAIMS_PAGE);
  const claimId = useRef('');
  const now = useNow(clock, Boolean(columns?.claims.length));
  const state = columns && `${columns.readyTotal} ${columns.claims.length} ${columns.doneTotal}`;
  // An answer is about the state that it was given in.
  useEffect(() => setAnswer(''), [state]);

  const claimNext = async () => {
    setAnswer('');
    // Without an answer, the next attempt is the same request: it claims no second task.
    claimId.current ||= crypto.randomUUID();
    const noClaim = await backend.claimNext({ id: claimId.current, listId: id, worker: user.name, ttlSeconds }).catch((error: unknown) => {
      if (!(error instanceof Failure && error.isTemporary)) claimId.current = '';
      throw error;
    });
    claimId.current = '';
    if (noClaim) setAnswer(sentenceOf(noClaim, clock));
    refresh();
  };
  const fault = failure ?? readFailure;
  const isMoreNotReady = moreOpen && columns !== undefined && columns.notReady.length < columns.notReadyTotal;
  return (
    <div className="board">
      <div className="row">
        <button type="submit" disabled={busy || offline} onClick={() => void attempt(claimNext)}>Claim the next task</button>
        <label>for <select value={ttlSeconds} onChange={({ target }) => setTtlSeconds(Number(target.value))}>
          {Object.entries(DURATIONS).map(([name, seconds]) => <option key={name} value={seconds}>{name}</option>)}
        </select></label>
        <span className="worker">as {user.name}</span>
      </div>
      <p role="status">{answer}</p>
      {fault && <p className="fault" role="alert">{fault.message}</p>}
      {!columns && !fault && <p>The board is being loaded.</p>}
      {columns && (
        <>
          <ProgressBar of={title} {...progress} />
          <div className="columns">
            <Column name="Ready" total={columns.readyTotal} empty="No task is ready."
              onMore={moreReady ? showMoreReady : undefined} disabled={isAsking || offline}>
              {columns.ready.map(task => (
                <li key={task.id}>
                  <p><TaskName task={task} /></p>
                  <Dependencies task={task} listId={id} backend={backend} offline={offline} />
                </li>
              ))}
            </Column>
            <Column name="Claimed" total={columns.claims.length} empty="No task is claimed."
              onMore={columns.claims.length > claimsShown ? () => setClaimsShown(claimsShown + CLAIMS_PAGE) : undefined}>
              {columns.claims.slice(0, claimsShown).map(claim => (
                <ClaimedTask key={claim.id} claim={claim} ttlSeconds={ttlSeconds} now={now} backend={backend} disabled={busy || offline}
                  onAction={action => void attempt(() => action().finally(refresh))} />
              ))}
            </Column>
            <Column name="Not ready" total={columns.notReadyTotal} empty={columns.notReadyTotal ? '' : 'No task has to wait.'}
              remark={isMoreNotReady ? `From the first ${openRead} tasks that are not done.` : undefined}
              onMore={isMoreNotReady ? showMoreOpen : undefined} disabled={isAsking || offline}>
              {columns.notReady.map(task => (
                <li key={task.id}>
                  <p><TaskName task={task} /></p>
                  <Reason task={task} />
                  <Dependencies task={task} listId={id} backend={backend} offline={offline} />
                </li>
              ))}
            </Column>
            <Column name="Done" total={columns.doneTotal} empty="No task is done."
              remark={columns.doneTotal > columns.done.length ? `The latest ${columns.done.length} are shown.` : undefined}>
              {columns.done.map(task => <li key={task.id} className="completed"><p><TaskName task={task} /></p></li>)}
            </Column>
          </div>
        </>
      )}
    </div>
  );
}

interface ColumnProps {
  name: string;
  total: number;
  /** The sentence for a column without tasks. */
  empty: string;
  remark?: string;
  onMore?(): void;
  disabled?: boolean;
  children: ReactNode[];
}

function Column({ name, total, empty, remark, onMore, disabled, children }: ColumnProps) {
  return (
    <section aria-label={name}>
      <h3>{name} <span className="count">{total}</span></h3>
      {children.length === 0 && empty && <p className="empty">{empty}</p>}
      <ul className="cards" aria-label={`Tasks: ${name}`}>{children}</ul>
      {remark && <p className="remark">{remark}</p>}
      {onMore && <button disabled={disabled} onClick={onMore} aria-label={`Show more: ${name}`}>Show more</button>}
    </section>
  );
}

const STATUSES: Partial<Record<Task['status'], string>> = { IN_PROGRESS: 'In progress', BLOCKED: 'Marked as blocked' };
/** The server lists no more tasks than these. */
const LISTED_TASKS = 20;

/** Why a task is not ready. */
function Reason({ task: { status, waitsFor } }: { task: OpenTask }) {
  const names = waitsFor.map(({ key, title }) => key ?? `“${title}”`).join(', ');
  return (
    <>
      {STATUSES[status] && <p className="remark">{STATUSES[status]}</p>}
      {names && <p className="remark">Waits for {names}{waitsFor.length === LISTED_TASKS && ' and perhaps others'}</p>}
    </>
  );
}

interface ClaimedTaskProps {
  claim: BoardClaim;
  ttlSeconds: number;
  now: number;
  backend: Backend;
  disabled: boolean;
  /** Runs an action of a button. What went wrong is shown above the columns, because the claim may be gone then. */
  onAction(action: () => Promise<void>): void;
}

function ClaimedTask({ claim: { id, task, worker, expiresAt }, ttlSeconds, now, backend, disabled, onAction }: ClaimedTaskProps) {
  const button = (name: string, action: () => Promise<void>) => (
    <button disabled={disabled} aria-label={`${name} ${task.key}`} onClick={() => onAction(action)}>{name}</button>
  );
  return (
    <li>
      <p><TaskName task={task} /></p>
      <p className="remark"><b>{worker}</b> <time dateTime={expiresAt}>{remaining(Date.parse(expiresAt) - now)}</time></p>
      <div className="buttons">
        {button('Complete', () => backend.completeClaim(id))}
        {button('Renew', () => backend.renewClaim(id, ttlSeconds))}
        {button('Release', () => backend.releaseClaim(id))}
      </div>
    </li>
  );
}

function remaining(milliseconds: number) {
  const seconds = Math.ceil(milliseconds / 1_000);
  if (seconds <= 0) return 'expires now';
  if (seconds <= 60) return `expires in ${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `expires in ${minutes} min`;
  return `expires in ${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

const TICK_MS = 1_000;

/** The time of the server, anew every second while it is needed. */
function useNow(clock: Clock, needed: boolean) {
  const [, setTick] = useState(0);
  useEffect(() => {
    if (!needed) return;
    const timer = setInterval(() => setTick(tick => tick + 1), TICK_MS);
    return () => clearInterval(timer);
  }, [needed]);
  return clock.now();
}

const REASONS: Record<NoClaim['reason'], string> = {
  DONE: 'Every task of the list is done.',
  WAITING: 'No task is ready.',
  FILES_BUSY: 'Every ready task names a file that a claimed task names too.',
};

function sentenceOf({ reason, retryAt }: NoClaim, clock: Clock) {
  const expiry = retryAt && ` The first claim ${remaining(Date.parse(retryAt) - clock.now())}.`;
  return `${REASONS[reason] ?? 'No task can be claimed now.'}${expiry ?? ''}`;
}
