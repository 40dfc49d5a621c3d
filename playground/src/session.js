// The token of the session and the ids of the last task, list and claim, stored for this browser tab only.
import { useSyncExternalStore } from "react";

/** The storage of the tab; null if the browser has none. GraphiQL stores its tabs in it too. */
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
