// The board of a task list: which tasks are in which column, and how it is read again when it may have changed.
import type { BoardQuery, BoardTaskFragment, DependenciesFragment, NoClaimReason } from '../generated/graphql.js';
import { Failure } from './failure.js';
import { untilAnswered } from './request.js';

export type Board = NonNullable<BoardQuery['taskList']>;
export type BoardClaim = Board['claims'][number];
export type OpenTask = Board['open']['edges'][number]['node'];
export type Dependencies = DependenciesFragment;

/** How many pages are read of the columns that have pages. */
export interface Extent {
  ready: number;
  open: number;
  /** Whether to read on until a further task is found that is not ready. */
  search: boolean;
}

/** Why there is no claim, and when the first claim of the list expires. */
export interface NoClaim {
  reason: NoClaimReason;
  retryAt: string | null;
}

const isOpen = ({ status, deletedAt }: BoardTaskFragment) => status !== 'COMPLETED' && deletedAt === null;
const isNotReady = (task: BoardTaskFragment) => isOpen(task) && !task.ready && !task.claim;

/** What is shown while the further pages of a column are read again: the pages before, beside the newest state of the rest. */
export function whilePartial(board: Board, before: Board, { ready, open }: Extent): Board {
  return {
    ...board,
    readyTasks: ready > 1 ? { ...before.readyTasks, totalCount: board.readyTasks.totalCount } : board.readyTasks,
    open: open > 1 ? { ...before.open, totalCount: board.open.totalCount } : board.open,
  };
}

/** The columns. A task leaves its column as soon as the cache has a newer state of it, even if the list was not read again yet. */
export function columnsOf({ readyTasks, claims, open, done }: Board) {
  const elsewhere = new Set([...claims.map(({ task }) => task.id), ...done.edges.map(({ node }) => node.id)]);
  const ready = readyTasks.edges.map(({ node }) => node).filter(task => isOpen(task) && task.ready && !task.claim && !elsewhere.has(task.id));
  for (const { id } of ready) elsewhere.add(id);
  return {
    ready,
    readyTotal: readyTasks.totalCount,
    claims: claims.filter(({ id, task }) => isOpen(task) && task.claim?.id === id),
    notReady: open.edges.map(({ node }) => node).filter(task => isNotReady(task) && !elsewhere.has(task.id)),
    // Every open task is ready, claimed or neither.
    notReadyTotal: Math.max(0, open.totalCount - readyTasks.totalCount - claims.length),
    done: done.edges.map(({ node }) => node).filter(({ status, deletedAt }) => status === 'COMPLETED' && deletedAt === null),
    doneTotal: done.totalCount,
  };
}

interface Page<Task> {
  edges: { node: Task }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** Returns how many pages there are now. The result of a further page may also have those before it. */
async function readOn<Task>(page: Page<Task>, isEnough: (pages: number, page: Page<Task>) => boolean, next: (after: string) => Promise<Page<Task>>): Promise<number> {
  let pages = 1;
  for (; !isEnough(pages, page) && page.pageInfo.hasNextPage; pages += 1) page = await next(page.pageInfo.endCursor!);
  return pages;
}

/** Most open tasks can be ready. So many pages are read to find one that is not. */
const SEARCHED_PAGES = 5;

/** Reads the pages of the board that follow its first ones. Returns how many there are; null if `isOver` became true before. */
export async function readFurther(
  board: Board | null, extent: Extent, isOver: () => boolean,
  moreReady: (after: string) => Promise<Board['readyTasks']>, moreOpen: (after: string) => Promise<Board['open']>,
): Promise<Extent | null> {
  if (!board) throw new Failure('The task list does not exist any more.', 'NOT_FOUND');
  const ready = await readOn(board.readyTasks, pages => pages >= extent.ready || isOver(), moreReady);
  const isSearched = columnsOf(board).notReadyTotal > 0;
  const limit = extent.search ? extent.open + SEARCHED_PAGES - 1 : SEARCHED_PAGES;
  let before = 0;
  const open = await readOn<OpenTask>(board.open, (pages, { edges }) => {
    const found = edges.filter(({ node }) => isNotReady(node)).length;
    if (pages < extent.open && extent.search) before = found;
    return isOver() || (pages >= extent.open && (!isSearched || found > before || pages >= limit));
  }, moreOpen);
  return isOver() ? null : { ready, open, search: false };
}

const SHORTEST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Returns functions that have something read again. One reading follows the other, with a pause between them: many calls in a
 * short time lead to few readings. The pause is as long as the last reading took, up to a limit. `isRepeated` says whether there
 * was a call during this reading.
 */
export function createReader(read: (isRepeated: () => boolean) => Promise<unknown>, onEnd: (failure?: Failure) => void) {
  let state: 'idle' | 'waiting' | 'reading' | 'reading, to be repeated' | 'over' = 'idle';
  let pauseMs = 0;
  const isOver = () => state === 'over';
  const isRepeated = () => state === 'reading, to be repeated';
  const run = async () => {
    if (isOver()) return;
    state = 'reading';
    const begin = Date.now();
    const failure = await untilAnswered(isOver, () => read(isRepeated)).then(() => undefined, (error: unknown) => error as Failure);
    if (isOver()) return;
    pauseMs = Math.min(Math.max(SHORTEST_PAUSE_MS, Date.now() - begin), LONGEST_PAUSE_MS);
    const again = isRepeated();
    state = 'idle';
    onEnd(failure);
    if (again) refresh();
  };
  const refresh = () => {
    if (state === 'reading') state = 'reading, to be repeated';
    if (state !== 'idle') return;
    state = 'waiting';
    setTimeout(() => void run(), pauseMs);
  };
  return { refresh, end: () => { state = 'over'; } };
}

/** Claims are asked for this long after the server's clock says that they have expired. */
const EXPIRY_MARGIN_MS = 100;
const FIRST_REPETITION_MS = 1_000;
const LONGEST_REPETITION_MS = 60_000;

/** When the first of these claims expires, in milliseconds. */
export const firstExpiry = (claims: readonly BoardClaim[]): number | undefined =>
  claims.length ? Math.min(...claims.map(({ expiresAt }) => Date.parse(expiresAt))) : undefined;

/** How long to wait before the claims are read again. A claim that is still live after its end, by the clock of the database, is
 * read again after ever longer times. */
export function untilExpiry(expiry: number, now: number): number {
  const remaining = expiry - now;
  if (remaining > -EXPIRY_MARGIN_MS) return Math.max(0, remaining) + EXPIRY_MARGIN_MS;
  return Math.min(Math.max(FIRST_REPETITION_MS, -remaining), LONGEST_REPETITION_MS);
}
