// schema.graphql against the contract that clients outside this repository are written against.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const read = (path: string) => buildSchema(readFileSync(path, 'utf8'));

test('inspector: schema.graphql breaks nothing that the contract says', async () => {
  const changes = await diff(read('contract.graphql'), read('../../schema.graphql'));
  const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
  assert.deepEqual(breaking.map(({ message }) => message), []);
});
