// Runs what a form or a button does, and keeps what went wrong.
import { useState } from 'react';
import type { Failure } from '../shared/failure.js';

export function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const attempt = async (action: () => Promise<unknown>) => {
    setBusy(true);
    setFailure(undefined);
    await action().catch((error: unknown) => setFailure(error as Failure));
    setBusy(false);
  };
  return { busy, failure, attempt };
}

/** The text of an input of a form. */
export const textOf = (form: HTMLFormElement, name: string) => String(new FormData(form).get(name) ?? '');
