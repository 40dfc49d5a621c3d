// The folder of operations uses the whole API, and the code generated from it is strictly typed: one `tsc`
// with `strict` compiles generated code, applications and tests before this file runs.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buildSchema, Kind, parse, validate, visit } from 'graphql';

const schema = buildSchema(readFileSync('../../schema.graphql', 'utf8'));

test('codegen: the operations use every root field once', () => {
  const used: string[] = [];
  const text = readdirSync('operations').map(name => readFileSync(`operations/${name}`, 'utf8')).join('\n');
  const document = parse(text);
  assert.deepEqual(validate(schema, document), []);
  visit(document, {
    OperationDefinition: ({ operation, selectionSet }) => {
      for (const field of selectionSet.selections) {
        assert.equal(field.kind, Kind.FIELD);
        if (field.kind === Kind.FIELD) used.push(`${operation} ${field.name.value}`);
      }
    },
  });
  const there = [
    ...Object.keys(schema.getQueryType()?.getFields() ?? {}).map(name => `query ${name}`),
    ...Object.keys(schema.getMutationType()?.getFields() ?? {}).map(name => `mutation ${name}`),
    ...Object.keys(schema.getSubscriptionType()?.getFields() ?? {}).map(name => `subscription ${name}`),
  ];
  assert.deepEqual(used.sort(), there.sort());
});

test('codegen: no scalar is generated as any', () => {
  const code = readFileSync('generated/graphql.ts', 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
  assert.doesNotMatch(code, /\bany\b/);
  assert.match(code, /\bexpiresAt: string\b/);
  assert.match(code, /dueAt\?: string \| null/);
});
