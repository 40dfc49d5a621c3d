// Tells several listeners that something has happened.
export function createSignal() {
  const listeners = new Set<() => void>();
  const listen = (listener: () => void) => {
    listeners.add(listener);
    return () => { listeners.delete(listener); };
  };
  const send = () => { for (const listener of listeners) listener(); };
  return { listen, send };
}
