// What the server did not understand in a document, and where the document contradicts itself.
import type { List } from './backend.js';

export function Diagnostics({ diagnostics }: Pick<List, 'diagnostics'>) {
  if (diagnostics.length === 0) return null;
  return (
    <details>
      <summary>{diagnostics.length === 1 ? '1 diagnostic' : `${diagnostics.length} diagnostics`} of the document</summary>
      <ul className="diagnostics" aria-label="Diagnostics">
        {diagnostics.map(({ severity, line, message }, index) => (
          <li key={index}>
            <b>{severity[0] + severity.slice(1).toLowerCase()}{line && `, line ${line}`}:</b> {message}
          </li>
        ))}
      </ul>
    </details>
  );
}
