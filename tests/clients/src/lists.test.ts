// Task documents and task lists with Apollo Client and with urql: the operations of operations/lists.graphql.
import assert from 'node:assert/strict';
import { Client, fetchExchange } from '@urql/core';
import { apolloClient, codes, register } from './apollo-app.js';
import {
  CreateTaskDocument, DeleteTaskListDocument, DiagnosticsDocument, FindingFragmentDoc, ImportTaskDocument, ImportTaskListDocument,
  ListRowFragmentDoc, ListTaskFragmentDoc, MergeTaskListDocument, OneTaskListDocument, ReplaceTaskDocumentDocument,
  RestoreTaskListDocument, TaskListsDocument, TaskRowFragmentDoc, TasksDocument, ToggleTaskDocument, TrashedTaskListsDocument,
  UpdateTaskDocument, WholePhaseFragmentDoc, WholeStoryFragmentDoc, WholeTaskFragmentDoc, type TaskFilter,
} from '../generated/graphql.js';
import { useFragment as read } from '../generated/fragment-masking.js';
import { PASSWORD, withServer, type Server } from './server.js';

const LIST = `# Tasks: Harbour board

Total tasks: 5

## Phase 1: Setup

- [ ] T001 Create the project in src/main.rs
- [ ] T002 [P] Write the reader in src/tides.rs

## Phase 2: User Story 1 - Show the tides (Priority: P1)

- [x] T003 [P] [US1] Draw the board in src/board.rs
- [ ] T004 [US1] Show the age of the figures
`;

const TASK = '# TASK: Show the tides\n\n**Priority**: High\n\n## Objective\n\nThe board shows the tides.\n\n## Plan\n\n- [ ] Write the reader\n';

async function signedUp(server: Server) {
  const session = { token: null as string | null, signedOut() {} };
  const client = apolloClient(server.url, session);
  await register(client, session, 'ann@example.com', PASSWORD);
  return { client, token: session.token };
}

/** urql without a cache, signed in as a new user. */
async function urql(server: Server) {
  const { token } = await signedUp(server);
  const fetchOptions = { headers: { authorization: `Bearer ${token}` } };
  return new Client({ url: server.url, exchanges: [fetchExchange], preferGetMethod: false, fetchOptions });
}

withServer('apollo: imports a task list, ticks a task, and the export differs in one character', {}, async server => {
  const { client } = await signedUp(server);
  const imported = await client.mutate({ mutation: ImportTaskListDocument, variables: { input: { markdown: LIST } } });
  const { id, title, progress } = read(ListRowFragmentDoc, imported.data!.importTaskList!.taskList);
  assert.deepEqual([title, progress.done, progress.total], ['Harbour board', 1, 4]);
  const one = async () => (await client.query({ query: OneTaskListDocument, variables: { id }, fetchPolicy: 'network-only' })).data!.taskList!;
  let list = await one();
  assert.equal(list.markdown, LIST);
  assert.deepEqual(read(FindingFragmentDoc, list.diagnostics).map(({ code, line, claimed, counted }) => [code, line, claimed, counted]), [['COUNT_MISMATCH', 3, 5, 4]]);
  assert.deepEqual(read(WholePhaseFragmentDoc, list.phases).map(({ number, title, story }) => [number, title, story?.key]), [
    ['1', 'Setup', undefined], ['2', 'User Story 1 - Show the tides', 'US1'],
  ]);
  assert.deepEqual(read(WholeStoryFragmentDoc, list.stories).map(({ key, title, priority }) => [key, title, priority]), [['US1', 'Show the tides', 1]]);
  const [first] = read(ListTaskFragmentDoc, list.tasks.nodes);
  assert.deepEqual([first.key, first.paths], ['T001', ['src/main.rs']]);
  await client.mutate({ mutation: ToggleTaskDocument, variables: { id: read(TaskRowFragmentDoc, first).id } });
  list = await one();
  assert.equal(list.markdown, LIST.replace('[ ] T001', '[x] T001'));
  const { data } = await client.query({ query: TaskListsDocument, variables: { first: 5 } });
  assert.equal(data?.taskLists.totalCount, 1);
  await client.mutate({ mutation: DeleteTaskListDocument, variables: { id } });
  const trash = await client.query({ query: TrashedTaskListsDocument });
  assert.deepEqual(trash.data?.trashedTaskLists.nodes.map(node => read(ListRowFragmentDoc, node).id), [id]);
  const restored = await client.mutate({ mutation: RestoreTaskListDocument, variables: { id } });
  assert.equal(read(ListRowFragmentDoc, restored.data!.restoreTaskList!.taskList).deletedAt, null);
  const found = await client.query({ query: DiagnosticsDocument, variables: { kind: 'TASK_LIST', markdown: '# Nothing\n' } });
  assert.deepEqual(found.data?.diagnostics.map(each => read(FindingFragmentDoc, each).code), ['NO_TASKS']);
});

withServer('apollo: merges a list; a conflict changes nothing until it is decided', {}, async server => {
  const { client } = await signedUp(server);
  const imported = await client.mutate({ mutation: ImportTaskListDocument, variables: { input: { markdown: LIST } } });
  const { id } = read(ListRowFragmentDoc, imported.data!.importTaskList!.taskList);
  const found = await client.query({ query: TasksDocument, variables: { filter: { key: ['T004'] } } });
  const task = read(TaskRowFragmentDoc, found.data!.tasks.edges[0].node);
  await client.mutate({ mutation: UpdateTaskDocument, variables: { id: task.id, input: { title: 'Show the age in minutes' } } });
  const markdown = LIST.replace('the age of the figures', 'the age in hours');
  const merge = async (input: object) =>
    (await client.mutate({ mutation: MergeTaskListDocument, variables: { id, input: { markdown, ...input } } })).data!.mergeTaskList!;
  const undecided = await merge({});
  assert.equal(undecided.applied, false);
  assert.deepEqual(undecided.conflicts.map(({ kind, key, base, server, file }) => [kind, key, base, server, file]), [
    ['TEXT', 'T004', 'Show the age of the figures', 'Show the age in minutes', 'Show the age in hours'],
  ]);
  const decided = await merge({ resolutions: [{ key: 'T004', use: 'FILE' }] });
  assert.equal(decided.applied, true);
  assert.deepEqual(decided.changes.map(({ kind, key, task }) => [kind, key, task?.title]), [['TEXT', 'T004', 'Show the age in hours']]);
  const error = await merge({ revision: imported.data!.importTaskList!.taskList.revision }).catch((error: unknown) => error);
  assert.deepEqual(codes(error), ['CONFLICT']);
});

withServer('urql: creates tasks in a list, and finds them by key, phase, story and mark', {}, async server => {
  const client = await urql(server);
  const imported = await client.mutation(ImportTaskListDocument, { input: { markdown: LIST } });
  const { id: listId } = read(ListRowFragmentDoc, imported.data!.importTaskList!.taskList);
  const created = await client.mutation(CreateTaskDocument, {
    input: { title: 'Test the reader', list: { listId, phase: '1', stories: ['US1'], parallel: true } },
  });
  assert.equal(read(TaskRowFragmentDoc, read(WholeTaskFragmentDoc, created.data!.createTask!.task)).title, 'Test the reader');
  await client.mutation(CreateTaskDocument, { input: { title: 'In no list' } });
  const expected: [TaskFilter, string[]][] = [
    [{ key: ['T005', 'T001'] }, ['Create the project in src/main.rs', 'Test the reader']],
    [{ listId, phase: ['2'] }, ['Draw the board in src/board.rs', 'Show the age of the figures']],
    [{ story: ['US1'], parallel: true }, ['Test the reader', 'Draw the board in src/board.rs']],
    [{ inList: false }, ['In no list']],
  ];
  for (const [filter, titles] of expected) {
    const { data } = await client.query(TasksDocument, { filter, orderBy: [{ field: 'POSITION', direction: 'ASC' }] });
    assert.deepEqual(data?.tasks.edges.map(({ node }) => read(TaskRowFragmentDoc, node).title), titles);
  }
  const list = await client.query(OneTaskListDocument, { id: listId });
  assert.equal(list.data?.taskList?.markdown, LIST.replace('src/tides.rs\n', 'src/tides.rs\n- [ ] T005 [P] [US1] Test the reader\n'));
});

withServer('urql: imports a task document, and replaces it', {}, async server => {
  const client = await urql(server);
  const imported = await client.mutation(ImportTaskDocument, { input: { markdown: TASK } });
  assert.equal(imported.data?.importTask?.task.markdown, TASK);
  const { id, priority, version } = read(TaskRowFragmentDoc, read(WholeTaskFragmentDoc, imported.data!.importTask!.task));
  assert.equal(priority, 'HIGH');
  const markdown = TASK.replace('[ ] Write', '[x] Write');
  const replaced = await client.mutation(ReplaceTaskDocumentDocument, { id, markdown, expectedVersion: version });
  const task = read(WholeTaskFragmentDoc, replaced.data!.replaceTaskDocument!.task);
  assert.deepEqual(task.checklist.map(({ section, text, done }) => [section, text, done]), [['ACTION', 'Write the reader', true]]);
});
