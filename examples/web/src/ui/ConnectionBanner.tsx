// Says whether the list is in step with the server, and otherwise how old it is.
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Connection, Phase } from '../shared/connection.js';

const SENTENCES: Record<Phase, string> = {
  connecting: 'Connecting…',
  live: '',
  offline: 'Offline: changes cannot be saved.',
  back: 'Back: up to date again.',
};

const AGE_UPDATE_MS = 5_000;

function age(milliseconds: number) {
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3_600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}

export const useConnection = (connection: Connection) => useSyncExternalStore(connection.subscribe, () => connection.state);

export function ConnectionBanner({ connection }: { connection: Connection }) {
  const { phase, inStepAt } = useConnection(connection);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (phase !== 'offline') return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), AGE_UPDATE_MS);
    return () => clearInterval(timer);
  }, [phase]);
  return (
    <div className={`banner ${phase}`}>
      <span role="status" aria-live="polite">{SENTENCES[phase]}</span>
      {/* Outside of the live region: a screen reader does not have to repeat the age. */}
      {phase === 'offline' && inStepAt && <span>The list is {age(Math.max(0, now - inStepAt))} old.</span>}
    </div>
  );
}
