// Dependencies and claims: the operations of operations/coordination.graphql with Apollo Client and with urql, and the
// workers of examples/scripts.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Client, fetchExchange } from '@urql/core';
import { apolloClient, codes, register } from './apollo-app.js';
import {
  AddDependencyDocument, ClaimNextTaskDocument, CompleteClaimDocument, CreateApiKeyDocument, ImportTaskListDocument,
  LiveClaimFragmentDoc, ListRowFragmentDoc, ListTaskFragmentDoc, OneTaskListDocument, ReleaseClaimDocument,
  RemoveDependencyDocument, RenewClaimDocument, TaskRowFragmentDoc, UpdateTaskListDocument, WaitingFragmentDoc,
  WholePhaseFragmentDoc,
} from '../generated/graphql.js';
import { useFragment as read } from '../generated/fragment-masking.js';
import { PASSWORD, withServer, type Server } from './server.js';

const LIST = `# Tasks: Harbour map

## Phase 1: Setup

- [ ] T001 [P] Create the project in src/main.rs
- [ ] T002 [P] Add the linter in .lint.toml

## Phase 2: User Story 1 - Ships

- [ ] T003 [P] [US1] Draw the ships in src/ships.rs
- [ ] T004 [P] [US1] Name the ships in src/ships.rs
- [ ] T005 [P] [US1] Test the ships in tests/ships.rs (depends on T003)

## Phase 3: User Story 2 - Tides

- [ ] T006 [P] [US2] Read the tides in src/tides.rs
- [ ] T007 [US2] Draw the tides in src/board.rs

## Phase 4: Polish

- [ ] T008 Describe the map in README.md
`;

async function signedUp(server: Server) {
  const session = { token: null as string | null, signedOut() {} };
  const client = apolloClient(server.url, session);
  await register(client, session, 'ann@example.com', PASSWORD);
  const imported = await client.mutate({ mutation: ImportTaskListDocument, variables: { input: { markdown: LIST } } });
  const { id } = read(ListRowFragmentDoc, imported.data!.importTaskList!.taskList);
  const one = async () => (await client.query({ query: OneTaskListDocument, variables: { id }, fetchPolicy: 'network-only' })).data!.taskList!;
  return { client, id, one, token: session.token };
}

withServer('apollo: claims the next task, renews, releases and completes the claim', {}, async server => {
  const { client, id, one } = await signedUp(server);
  const list = await one();
  assert.equal(list.ordering, 'MARKED');
  assert.deepEqual(list.readyTasks.nodes.map(({ key }) => key), ['T001', 'T002']);
  assert.deepEqual(read(WholePhaseFragmentDoc, list.phases).map(({ number, open, dependsOn }) => [number, open, dependsOn.map(({ number }) => number)]), [
    ['1', true, []], ['2', false, ['1']], ['3', false, ['1']], ['4', false, ['1', '2', '3']],
  ]);
  const tasks = read(WaitingFragmentDoc, list.tasks.nodes);
  assert.deepEqual(tasks.map(({ key, ready, blockedBy, waitsFor }) => [key, ready, blockedBy.length, waitsFor.length]), [
    ['T001', true, 0, 0], ['T002', true, 0, 0], ['T003', false, 0, 2], ['T004', false, 0, 2], ['T005', false, 1, 3],
    ['T006', false, 0, 2], ['T007', false, 0, 3], ['T008', false, 0, 7],
  ]);

  const next = async (input: object) =>
    (await client.mutate({ mutation: ClaimNextTaskDocument, variables: { input: { listId: id, worker: 'Apollo', ...input } } })).data!.claimNextTask!;
  const chosen = crypto.randomUUID();
  const [first, repeated] = [await next({ id: chosen }), await next({ id: chosen })];
  const claim = read(LiveClaimFragmentDoc, first.claim)!;
  assert.deepEqual([claim.id, claim.worker, claim.task.key, claim.paths], [chosen, 'Apollo', 'T001', ['src/main.rs']]);
  assert.deepEqual(read(LiveClaimFragmentDoc, repeated.claim), claim);
  assert.deepEqual(read(LiveClaimFragmentDoc, (await one()).claims).map(({ id }) => id), [chosen]);
  const none = await next({ keys: ['T001'] });
  assert.deepEqual([none.claim, none.reason, none.retryAt], [null, 'WAITING', claim.expiresAt]);

  const renewed = await client.mutate({ mutation: RenewClaimDocument, variables: { id: chosen, ttlSeconds: 1_800 } });
  assert.ok(read(LiveClaimFragmentDoc, renewed.data!.renewClaim!.claim).expiresAt > claim.expiresAt);
  const released = await client.mutate({ mutation: ReleaseClaimDocument, variables: { id: chosen } });
  assert.equal(released.data!.releaseClaim!.releasedClaimId, chosen);
  assert.equal(read(WaitingFragmentDoc, released.data!.releaseClaim!.task).ready, true);
  const late = await client.mutate({ mutation: CompleteClaimDocument, variables: { id: chosen } }).catch((error: unknown) => error);
  assert.deepEqual(codes(late), ['CONFLICT']);

  const { id: second } = read(LiveClaimFragmentDoc, (await next({})).claim)!;
  for (const call of ['completes', 'is repeated']) {
    const completed = await client.mutate({ mutation: CompleteClaimDocument, variables: { id: second } });
    const task = read(WaitingFragmentDoc, completed.data!.completeClaim!.task);
    assert.deepEqual([task.key, task.status, task.claim], ['T001', 'COMPLETED', null], call);
  }
});

withServer('urql: adds and removes dependencies, and changes the ordering of a list', {}, async server => {
  const { id, one, token } = await signedUp(server);
  const client = new Client({
    url: server.url, exchanges: [fetchExchange], preferGetMethod: false, fetchOptions: { headers: { authorization: `Bearer ${token}` } },
  });
  const tasks = read(TaskRowFragmentDoc, read(ListTaskFragmentDoc, (await one()).tasks.nodes));
  const pair = { taskId: tasks[1].id, blockedById: tasks[0].id };
  const added = await client.mutation(AddDependencyDocument, pair);
  const { task, blockedBy } = added.data!.addDependency!;
  assert.deepEqual(read(WaitingFragmentDoc, task).blockedBy.map(({ key }) => key), ['T001']);
  assert.deepEqual(blockedBy.blocks.map(({ key }) => key), ['T002']);
  const { error } = await client.mutation(AddDependencyDocument, { taskId: pair.blockedById, blockedById: pair.taskId });
  assert.deepEqual(error?.graphQLErrors[0].extensions.fields, [
    { path: ['blockedById'], rule: 'cycle', message: (error?.graphQLErrors[0].extensions.fields as { message: string }[])[0].message },
  ]);
  assert.deepEqual((await one()).readyTasks.nodes.map(({ key }) => key), ['T001']);
  const removed = await client.mutation(RemoveDependencyDocument, pair);
  assert.deepEqual(read(WaitingFragmentDoc, removed.data!.removeDependency!.task).blockedBy, []);

  const { version } = await one().then(list => read(ListRowFragmentDoc, list));
  const updated = await client.mutation(UpdateTaskListDocument, { id, input: { ordering: 'EXPLICIT' }, expectedVersion: version });
  assert.equal(updated.data!.updateTaskList!.taskList.ordering, 'EXPLICIT');
  const seventh = read(WaitingFragmentDoc, (await one()).tasks.nodes)[6];
  assert.deepEqual(seventh.waitsFor.map(({ key }) => key), ['T001', 'T002']);
});

const SCRIPTS = resolve('../../examples/scripts');
// Writes when work on a task begins and ends; $0 is the text of the task.
const COMMAND = 'echo "begin $0" >> "$LOG"; sleep 0.5; echo "end $0" >> "$LOG"';

withServer('scripts: two workers, in shell and Python, complete a list in the order of dependencies', {}, async server => {
  const { client, id, one } = await signedUp(server);
  const input = { name: 'workers', scopes: ['TASKS_WRITE' as const], currentPassword: PASSWORD };
  const { token } = (await client.mutate({ mutation: CreateApiKeyDocument, variables: { input } })).data!.createApiKey!;
  // A worker that has ended without a trace: its claim expires, and another worker takes over the task.
  const lost = await client.mutate({
    mutation: ClaimNextTaskDocument, variables: { input: { listId: id, worker: 'lost', keys: ['T002'], ttlSeconds: 2 } },
  });
  const folder = await mkdtemp(join(tmpdir(), 'taskhold-workers-'));
  try {
    const log = join(folder, 'log');
    const env = { PATH: process.env.PATH, HOME: folder, HOSTNAME: 'host', TASKHOLD_KEY: token, TASKHOLD_URL: new URL(server.url).origin, LOG: log };
    const worker = (script: string) => promisify(execFile)(join(SCRIPTS, script), [id, 'sh', '-c', COMMAND], { env: { ...env, TASKHOLD_WORKER: script } });
    await Promise.all(['work', 'work.py'].map(worker));

    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
    const texts = LIST.match(/(?<=\] )T\d+ .*/g)!.map(line => line.replace(/^T\d+ (\[\w+\] )*/, ''));
    const when = (key: number, what: string) => lines.indexOf(`${what} ${texts[key - 1]}`);
    assert.deepEqual([...lines].sort(), texts.flatMap(text => [`begin ${text}`, `end ${text}`]).sort());
    const follows = (task: number, other: number) => assert.ok(when(task, 'begin') > when(other, 'end'), `T00${task} follows T00${other}\n${lines.join('\n')}`);
    for (const task of [3, 4, 5, 6, 7]) [1, 2].forEach(other => follows(task, other));
    follows(5, 3);
    follows(7, 6);
    for (const other of [1, 2, 3, 4, 5, 6, 7]) follows(8, other);
    // Both name src/ships.rs.
    assert.ok(when(3, 'end') < when(4, 'begin') || when(4, 'end') < when(3, 'begin'));
  } finally {
    await rm(folder, { recursive: true });
  }
  const list = await one();
  assert.equal(read(ListRowFragmentDoc, list).progress.done, 8);
  assert.deepEqual([list.claims, list.readyTasks.nodes], [[], []]);
  const { id: lostClaim } = read(LiveClaimFragmentDoc, lost.data!.claimNextTask!.claim)!;
  const late = await client.mutate({ mutation: CompleteClaimDocument, variables: { id: lostClaim } }).catch((error: unknown) => error);
  assert.deepEqual(codes(late), ['CONFLICT']);
});
