// What the user has typed and not saved yet. It outlives the form: when the session ends and the same user signs in again, it
// is still there. The name begins with the id of the user, so that no other user sees it.
import { useState } from 'react';

const drafts = new Map<string, unknown>();

export function useDraft<T>(name: string): [T | null, (draft: T | null) => void] {
  const [draft, setDraft] = useState(() => (drafts.get(name) ?? null) as T | null);
  return [draft, next => {
    if (next === null) drafts.delete(name);
    else drafts.set(name, next);
    setDraft(next);
  }];
}
