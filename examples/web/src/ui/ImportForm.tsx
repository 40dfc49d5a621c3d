// Imports a Markdown document as a task list: a file, or a text that was pasted.
import { useId, useRef, type FormEvent } from 'react';
import type { Backend } from './backend.js';
import { textOf, useAttempt } from './attempt.js';
import { Failure } from '../shared/failure.js';
import { Field } from './Field.js';

interface Props {
  backend: Pick<Backend, 'importList'>;
  offline: boolean;
  onImported(id: string): void;
}

/** The text of a file with everything that is in it: a byte order mark and the line ends too. */
async function read(file: File): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Failure('The file cannot be read as UTF-8 text.', 'BAD_USER_INPUT');
  }
}

export function ImportForm({ backend, offline, onImported }: Props) {
  const { busy, failure, attempt } = useAttempt();
  // A request that is sent again with the same id adds no second list.
  const id = useRef(crypto.randomUUID());
  const textId = useId();
  const changed = () => { id.current = crypto.randomUUID(); };

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const file = new FormData(form).get('file') as File;
    void attempt(async () => {
      await backend.importList(id.current, file.name ? await read(file) : textOf(form, 'text'));
      const imported = id.current;
      form.reset();
      changed();
      onImported(imported);
    });
  };
  return (
    <form className="import" onSubmit={submit} onChange={changed}>
      <Field label="Markdown file" name="file" type="file" accept=".md,.markdown,.txt,text/markdown,text/plain" disabled={offline} />
      <div className="field">
        <label htmlFor={textId}>Or its text</label>
        <textarea id={textId} name="text" rows={4} spellCheck={false} disabled={offline} />
      </div>
      <button type="submit" disabled={busy || offline}>Import</button>
      {failure && <p className="fault" role="alert">{failure.message}</p>}
    </form>
  );
}
