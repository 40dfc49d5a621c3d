// A copy of the tasks that is brought up to date now and then: for scripts, and for reading without a connection.

export interface Row {
  id: string;
  title: string;
  status: string;
  version: number;
  deletedAt: string | null;
}

/** Both parts are kept together, for example in a file. A new copy is `{ tasks: new Map() }`. */
export interface Copy {
  tasks: Map<string, Row>;
  /** The cursor up to which the tasks have everything. */
  cursor?: string;
}

export interface Page {
  changes: { taskId: string; task: Row | null }[];
  cursor: string;
  hasMore: boolean;
}

const FIELDS = 'changes { taskId task { id title status version deletedAt } } cursor hasMore';
export const CHANGES = `query($after: String) { taskChanges(after: $after, first: 100) { ${FIELDS} } }`;
export const LIVE = `subscription($after: String) { taskChanges(after: $after) { ${FIELDS} } }`;

export function apply(copy: Copy, { changes, cursor }: Page) {
  for (const { taskId, task } of changes) {
    if (task && !task.deletedAt) copy.tasks.set(taskId, task);
    else copy.tasks.delete(taskId);
  }
  copy.cursor = cursor;
}

export function discard(copy: Copy) {
  copy.tasks.clear();
  delete copy.cursor;
}

/** Brings the copy up to date. If it is interrupted, the next call continues where it was. */
export async function synchronise(url: string, token: string, copy: Copy) {
  for (let hasMore = true; hasMore;) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: CHANGES, variables: { after: copy.cursor } }),
    });
    const { data, errors } = await response.json() as {
      data?: { taskChanges: Page } | null;
      errors?: { message: string; extensions: { code: string } }[];
    };
    if (errors?.[0].extensions.code === 'CURSOR_EXPIRED') {
      discard(copy);
    } else if (errors) {
      throw new Error(errors[0].message);
    } else {
      apply(copy, data!.taskChanges);
      hasMore = data!.taskChanges.hasMore;
    }
  }
}
