// Keeps old states of a task out of a cache. A response can arrive later than an event that is newer than it; the caches of
// GraphQL clients keep what arrives last.

interface Versioned {
  id: string;
  version: number;
}

const isVersioned = (value: object): value is Versioned =>
  'id' in value && typeof value.id === 'string' && 'version' in value && typeof value.version === 'number';

/** A task of which a result has only some fields, without the version. */
const isPart = (value: object): value is { id: string } => '__typename' in value && value.__typename === 'Task' && 'id' in value;

export type Freshen = ReturnType<typeof createFreshen>;

/** Returns a function for every result: it replaces each task by the newest state of it that any result had. */
export function createFreshen() {
  const newest = new Map<string, Versioned>();

  function freshen<T>(value: T): T {
    if (Array.isArray(value)) return value.map(freshen) as T;
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([name, child]) => [name, freshen(child)]));
    if (!isVersioned(copy)) return (isPart(copy) ? newestOf(copy) : copy) as T;
    const known = newest.get(copy.id);
    if (known && known.version > copy.version) return { ...copy, ...known } as T;
    newest.set(copy.id, copy);
    return copy as T;
  }

  /** Nothing tells how old a part of a task is. It gets the values that are known. */
  const newestOf = (part: { id: string }) => {
    const known = Object.entries(newest.get(part.id) ?? {});
    return { ...part, ...Object.fromEntries(known.filter(([name]) => name in part)) };
  };

  /** Forgets everything. After CURSOR_EXPIRED versions may be lower than before. */
  freshen.forget = () => newest.clear();
  return freshen;
}
