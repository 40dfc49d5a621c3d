// schema.graphql has no breaking change against the contract, contract.graphql, on which other clients depend.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const read = (path: string) => buildSchema(readFileSync(path, 'utf8'));

test('inspector: schema.graphql has no breaking change against the contract', async () => {
  const changes = await diff(read('contract.graphql'), read('../../schema.graphql'));
  const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
  assert.deepEqual(breaking.map(({ message }) => message), []);
});
