// Every code block of docs/clients.md is part of a file that the tests here compile and run.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const sources = (folder: string) => readdirSync(folder).filter(name => /\.(ts|graphql)$/.test(name)).map(name => `${folder}/${name}`);

test('docs: every code block of docs/clients.md is part of a file that is run here', () => {
  const page = readFileSync('../../docs/clients.md', 'utf8');
  const files = [
    'codegen.ts', 'relay/live.ts', ...sources('src'), ...sources('src/recipes'),
    '../../examples/scripts/work', '../../examples/scripts/work.py',
    ...['shared', 'apollo', 'urql'].flatMap(folder => sources(`../../examples/web/src/${folder}`)),
  ];
  const run = files.map(name => readFileSync(name, 'utf8'));
  const blocks = [...page.matchAll(/^```(?:ts|graphql|bash|python)\n([^]*?)^```$/gm)].map(([, code]) => code);
  assert.ok(blocks.length > 20);
  for (const block of blocks) assert.ok(run.some(code => code.includes(block)), `not found:\n${block}`);
});
