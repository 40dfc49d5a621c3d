// schema.graphql against the contract that clients outside this repository are written against.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buildSchema, findBreakingChanges } from 'graphql';

/** What is known to be different, one description each. */
const ALLOWED: string[] = [];

const read = (path: string) => buildSchema(readFileSync(path, 'utf8'));

test('inspector: schema.graphql breaks nothing that the contract says', () => {
  const changes = findBreakingChanges(read('contract.graphql'), read('../../schema.graphql'));
  assert.deepEqual(changes.map(({ description }) => description), ALLOWED);
});
