// urql with Graphcache and the auth exchange against the program: the application of urql-app.ts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { CREATE, DELETE, LIST, signUp, type Tokens, UPDATE, urqlClient } from './urql-app.js';
import { NodeDocument, TaskDocument } from '../generated/graphql.js';
import { PASSWORD, until, withServer, type Server } from './server.js';

const SCHEMA = introspectionFromSchema(buildSchema(readFileSync('../../schema.graphql', 'utf8')));

class Visitor implements Tokens {
  access: string | null = null;
  refresh: string | null = null;
  timesSignedOut = 0;
  signedOut() { this.timesSignedOut += 1; }
}

async function signedUp(server: Server) {
  const tokens = new Visitor();
  const client = urqlClient(server.url, tokens, SCHEMA);
  await signUp(client, tokens, 'ann@example.com', PASSWORD);
  assert.ok(tokens.access && tokens.refresh);
  const create = async (title: string) => {
    const { data, error } = await client.mutation(CREATE, { input: { title } });
    assert.ok(data?.createTask, String(error));
    return data.createTask.task;
  };
  return { client, tokens, create };
}

/** The method, the root field and the status of a request. */
function asked(server: Server) {
  return server.exchanges.map(({ method, url, body, status }) => {
    const text = method === 'GET' ? new URL(url).searchParams.get('query') : JSON.parse(body).query;
    return `${method} ${/\{\s*(\w+)/.exec(text ?? '')?.[1]} ${status}`;
  });
}

withServer('urql: Graphcache shows a new task, a changed one and a deleted one in the list', {}, async server => {
  const { client, create } = await signedUp(server);
  const shown: string[][] = [];
  const { unsubscribe } = client.query(LIST, { first: 10 }).subscribe(({ data, stale }) => {
    if (data && !stale) shown.push(data.tasks.edges.map(({ node }) => node.title));
  });
  await until('the empty list', () => shown.length === 1);
  const task = await create('Water the plants');
  await until('the new task', () => shown.at(-1)?.[0] === 'Water the plants');
  const before = server.exchanges.length;
  await client.mutation(UPDATE, { id: task.id, input: { title: 'Water the roses' } });
  await until('the new title', () => shown.at(-1)?.[0] === 'Water the roses');
  // Only the mutation was sent: the list was updated in the cache.
  assert.equal(server.exchanges.length, before + 1);
  await client.mutation(DELETE, { id: task.id });
  await until('the empty list', () => shown.at(-1)?.length === 0);
  unsubscribe();
});

withServer('urql: walks three pages with relayPagination and sees each task once', {}, async server => {
  const { client, create } = await signedUp(server);
  for (const title of ['1', '2', '3', '4', '5', '6', '7']) await create(title);
  let after: string | null | undefined;
  let titles: string[] = [];
  let pages = 0;
  do {
    const { data, error } = await client.query(LIST, { first: 3, after });
    assert.ok(data, String(error));
    titles = data.tasks.edges.map(({ node }) => node.title);
    after = data.tasks.pageInfo.hasNextPage ? data.tasks.pageInfo.endCursor : null;
    pages += 1;
  } while (after);
  assert.deepEqual(titles, ['7', '6', '5', '4', '3', '2', '1']);
  assert.equal(pages, 3);
});

withServer('urql: an error is a CombinedError with its code; the schema makes a failed field null', {}, async server => {
  const { client, create } = await signedUp(server);
  const bad = await client.mutation(CREATE, { input: { title: ' ' } });
  assert.deepEqual(bad.error?.graphQLErrors.map(({ extensions }) => extensions.code), ['BAD_USER_INPUT']);
  const missing = await client.query(TaskDocument, { id: '01930000-0000-7000-8000-0000000000ff' });
  assert.deepEqual(missing.error?.graphQLErrors.map(({ extensions, path }) => [extensions.code, path]), [['NOT_FOUND', ['task']]]);
  const task = await create('One');
  const node = await client.query(NodeDocument, { id: task.id });
  assert.ok(node.data?.node?.__typename === 'Task');
  assert.equal(node.data.node.title, 'One');
});

withServer('urql: an expired token leads to one refreshToken and one retry', { ACCESS_TOKEN_TTL: '3s' }, async server => {
  const { client, tokens } = await signedUp(server);
  const first = { ...tokens };
  await sleep(4_000);
  const { data, error } = await client.query(LIST, { first: 3 });
  assert.equal(error, undefined);
  assert.deepEqual(data?.tasks.edges, []);
  assert.deepEqual(asked(server), ['POST register 200', 'GET tasks 401', 'POST refreshToken 200', 'GET tasks 200']);
  assert.notEqual(tokens.access, first.access);
  assert.notEqual(tokens.refresh, first.refresh);
  assert.equal(tokens.timesSignedOut, 0);
  const refused = JSON.parse(server.exchanges[1].answer);
  assert.equal(refused.errors[0].message, 'Token has expired');
});

withServer('urql: a bad token and no pair to refresh it with: UNAUTHENTICATED, and signed out', {}, async server => {
  const { client, tokens } = await signedUp(server);
  tokens.access = 'not.a.token';
  tokens.refresh = null;
  const { error } = await client.query(LIST, { first: 3 });
  assert.deepEqual(error?.graphQLErrors.map(({ extensions }) => extensions.code), ['UNAUTHENTICATED']);
  assert.equal(tokens.timesSignedOut, 1);
});
