// Every code block of docs/clients.md is part of a file that the tests here compile and run.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

test('docs: every code block of docs/clients.md is part of a file that is run here', () => {
  const page = readFileSync('../../docs/clients.md', 'utf8');
  const run = ['codegen.ts', 'src/apollo-app.ts', 'src/urql-app.ts', 'src/urql.test.ts'].map(name => readFileSync(name, 'utf8'));
  const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code);
  assert.ok(blocks.length > 5);
  for (const block of blocks) assert.ok(run.some(code => code.includes(block)), `not found:\n${block}`);
});
