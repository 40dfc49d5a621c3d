// Who is signed in, and what was seen last. Kept for this browser tab and no longer.
import { useSyncExternalStore } from "react";

/** The storage of the tab; null where the browser gives none. GraphiQL keeps its tabs in it too. */
export const storage = (() => {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
})();

const KEY = "taskhold:session";
const listeners = new Set();
let session = JSON.parse(storage?.getItem(KEY) ?? "{}");

export const current = () => session;

export function remember(change) {
  session = { ...session, ...change };
  storage?.setItem(KEY, JSON.stringify(session));
  for (const listener of listeners) listener();
}

function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useSession = () => useSyncExternalStore(subscribe, current);
