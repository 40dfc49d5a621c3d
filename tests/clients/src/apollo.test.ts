// Apollo Client 4 against the program: the application of apollo-app.ts, and further operations.
import assert from 'node:assert/strict';
import { CombinedGraphQLErrors } from '@apollo/client';
import { ADD_TASK, allPages, apolloClient, CHANGE_TASK, codes, register, rename, TASK_LIST, type Session } from './apollo-app.js';
import {
  AddChecklistItemDocument, CompleteTaskDocument, DeleteTaskDocument, NodeDocument, RegisterDocument, ServerInfoDocument, TaskDocument,
  WholeTaskFragmentDoc,
} from '../generated/graphql.js';
import { useFragment } from '../generated/fragment-masking.js';
import { PASSWORD, until, withServer, type Server } from './server.js';

const UNKNOWN = '01930000-0000-7000-8000-0000000000ff';

class Visitor implements Session {
  token: string | null = null;
  timesSignedOut = 0;
  signedOut() { this.timesSignedOut += 1; }
}

async function signedUp(server: Server) {
  const session = new Visitor();
  const client = apolloClient(server.url, session);
  await register(client, session, 'ann@example.com', PASSWORD);
  assert.ok(session.token);
  const add = async (title: string) => {
    const { data } = await client.mutate({ mutation: ADD_TASK, variables: { input: { title } } });
    assert.ok(data?.createTask);
    return data.createTask.task;
  };
  return { client, session, add };
}

async function failure(promise: Promise<unknown>) {
  const error = await promise.then(() => null, (error: unknown) => error);
  assert.ok(CombinedGraphQLErrors.is(error), `no GraphQL error, but ${String(error)}`);
  return error;
}

withServer('apollo: registers, asks and changes; a change reaches the list by the cache', {}, async server => {
  const { client, add } = await signedUp(server);
  const task = await add('Water the plants');
  await client.query({ query: TASK_LIST, variables: { first: 3 } });
  const asked = server.exchanges.length;
  assert.equal(await rename(client, task, 'Water the roses'), null);
  const { data } = await client.query({ query: TASK_LIST, variables: { first: 3 } });
  assert.deepEqual(data?.tasks.edges.map(({ node }) => [node.title, node.version]), [['Water the roses', 2]]);
  assert.equal(server.exchanges.length, asked + 1);
  await client.mutate({ mutation: AddChecklistItemDocument, variables: { taskId: task.id, input: { section: 'ACTION', text: 'Fill the can' } } });
  await client.mutate({ mutation: CompleteTaskDocument, variables: { id: task.id } });
  const whole = await client.query({ query: TaskDocument, variables: { id: task.id }, fetchPolicy: 'network-only' });
  const read = useFragment(WholeTaskFragmentDoc, whole.data?.task);
  assert.deepEqual(read?.checklist.map(({ text }) => text), ['Fill the can']);
  const node = await client.query({ query: NodeDocument, variables: { id: task.id } });
  assert.equal(node.data?.node?.__typename, 'Task');
  await client.mutate({ mutation: DeleteTaskDocument, variables: { id: task.id } });
});

withServer('apollo: errors are CombinedGraphQLErrors with their codes, fields and versions', {}, async server => {
  const { client, session, add } = await signedUp(server);
  const task = await add('One');
  const input = await failure(client.mutate({ mutation: ADD_TASK, variables: { input: { title: '  ', labels: [''] } } }));
  assert.deepEqual(codes(input), ['BAD_USER_INPUT']);
  assert.deepEqual(
    (input.errors[0].extensions?.fields as { path: unknown[] }[]).map(({ path }) => path),
    [['input', 'title'], ['input', 'labels', 0]],
  );
  const missing = await failure(client.query({ query: TaskDocument, variables: { id: UNKNOWN } }));
  assert.deepEqual(codes(missing), ['NOT_FOUND']);
  assert.equal(await rename(client, task, 'Two'), null);
  assert.equal(await rename(client, task, 'Three'), 2);
  const taken = await failure(client.mutate({ mutation: RegisterDocument, variables: { input: { email: 'ANN@example.com', password: PASSWORD } } }));
  assert.deepEqual(codes(taken), ['CONFLICT']);
  // A variable of the wrong type is refused before execution.
  const wrong = await failure(client.mutate({ mutation: CHANGE_TASK, variables: { id: task.id, input: {}, expectedVersion: 'one' as unknown as number } }));
  assert.deepEqual(codes(wrong), ['BAD_USER_INPUT']);
  assert.equal(session.timesSignedOut, 0);
});

withServer('apollo: walks three pages with relayStylePagination and sees each task once', {}, async server => {
  const { client, add } = await signedUp(server);
  for (const title of ['1', '2', '3', '4', '5', '6', '7']) await add(title);
  const shown: string[][] = [];
  const asked = server.exchanges.length;
  const subscription = await allPages(client, titles => shown.push(titles));
  await until('the last page', () => shown.at(-1)?.length === 7);
  subscription.unsubscribe();
  const all = ['7', '6', '5', '4', '3', '2', '1'];
  for (const titles of shown) assert.deepEqual(titles, all.slice(0, titles.length));
  assert.equal(server.exchanges.length, asked + 3);
});

withServer('apollo: queries go by GET, mutations by POST', {}, async server => {
  const { client, add } = await signedUp(server);
  await add('Water the plants: ä & ö? #1');
  await client.query({ query: TASK_LIST, variables: { first: 3, filter: { text: 'ä & ö? #1' } } });
  await client.query({ query: ServerInfoDocument });
  assert.deepEqual(server.exchanges.map(({ method, status }) => [method, status]), [['POST', 200], ['POST', 200], ['GET', 200], ['GET', 200]]);
  const { data } = JSON.parse(server.exchanges[2].answer);
  assert.equal(data.tasks.edges.length, 1);
});

withServer('apollo: a bad token is UNAUTHENTICATED, and in nobody\'s way at the public fields', {}, async server => {
  const { client, session } = await signedUp(server);
  session.token = 'not.a.token';
  await client.query({ query: ServerInfoDocument });
  assert.equal(session.timesSignedOut, 0);
  const error = await failure(client.query({ query: TASK_LIST, variables: { first: 3 } }));
  assert.deepEqual(codes(error), ['UNAUTHENTICATED']);
  assert.equal(error.errors[0].message, 'Invalid token');
  assert.equal(server.exchanges.at(-1)?.status, 401);
  assert.deepEqual([session.timesSignedOut, session.token], [1, null]);
});
