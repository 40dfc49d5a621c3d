// What a user does with task lists, in each of the two pages.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Api, eventually } from './server.js';
import { startSite, type Site } from './site.js';
import { ENTRIES, launch, PICTURES, TIME_LIMIT_MS, Window } from './window.js';

// It has what editors and browsers like to change: a byte order mark, CRLF, spaces at the end of a line, no line end at the end.
const DOCUMENT = [
  '\uFEFF# Tasks: Harbour board', '', 'Total tasks: 5', '',
  '## Phase 1: Setup', '', '- [ ] T001 Create the project in src/main.rs  ', '- [ ] T002 [P] Write the reader in src/tides.rs', '',
  '## Phase 2: User Story 1 - Show the tides (Priority: P1)', '', '* [x] T003 [P] [US1] Draw the board in src/board.rs',
  '* [ ] T004 [US1] Show the age of the figures',
].join('\r\n');

let browser: Browser;
let site: Site;
let users = 0;

before(async () => {
  browser = await launch();
  site = await startSite();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Runs a test for each page, with a new user. */
function forEach(name: string, body: (window: Window, api: Api) => Promise<void>) {
  for (const entry of ENTRIES) {
    test(`${entry}: ${name}`, { timeout: 120_000 }, async () => {
      const email = `user${users += 1}@example.com`;
      const window = await Window.open(site.address, await browser.newContext(), entry);
      await window.signIn(email, 'Register');
      await body(window, await Api.signIn(site.server, email));
      window.check();
      await window.page.context().close();
    });
  }
}

async function importFile({ page }: Window, document: string | Buffer) {
  await page.getByText('Task lists', { exact: true }).click();
  await page.getByLabel('Markdown file').setInputFiles({ name: 'tasks.md', mimeType: 'text/markdown', buffer: Buffer.from(document) });
  await page.getByRole('button', { name: 'Import' }).click();
}

/** The tasks of the open list, each with its box, its key, its marks and its text. */
const tasksOf = (page: Page) => page.locator('.list').getByRole('listitem').filter({ has: page.getByRole('checkbox') }).evaluateAll(rows =>
  rows.map(row => [row.querySelector('input')!.checked ? '✓' : '-', ...Array.from(row.querySelectorAll('b, abbr, span'), part => part.textContent)].join(' ')));

const shows = (page: Page, expected: string[]) =>
  eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await tasksOf(page), expected));

const progress = (page: Page, of: string) => page.getByRole('progressbar', { name: `Progress of ${of}`, exact: true }).locator('..').textContent();

async function download(page: Page): Promise<Buffer> {
  const started = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  return readFile(await (await started).path());
}

async function listOf(api: Api) {
  return (await api.ask('{ taskLists { nodes { id tasks { nodes { id key } } } } }')).taskLists.nodes[0];
}

const merge = (api: Api, id: string, markdown: string) => api.ask(
  'mutation($id: ID!, $markdown: String!) { mergeTaskList(id: $id, input: { markdown: $markdown, onConflict: FILE }) { applied } }', { id, markdown },
);

forEach('imports a file, ticks a task, and the downloaded file differs in one byte', async window => {
  const { page, entry } = window;
  await importFile(window, DOCUMENT);
  await shows(page, [
    '- T001 Create the project in src/main.rs', '- T002 [P] Write the reader in src/tides.rs',
    '✓ T003 [P] US1 Draw the board in src/board.rs', '- T004 US1 Show the age of the figures',
  ]);
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Harbour board');
  assert.deepEqual(await download(page), Buffer.from(DOCUMENT));
  await page.getByText('1 diagnostic of the document').click();
  await page.getByRole('list', { name: 'Diagnostics' }).getByText('Warning, line 3:').waitFor();
  assert.equal(await progress(page, 'Phase 1: Setup'), '0 of 2');
  const saved = page.waitForResponse(response => response.request().postData()?.includes('EditTask') ?? false);
  // The name of a checkbox is all that is known of the task.
  await page.getByRole('checkbox', { name: 'T001 Create the project' }).press('Space');
  await saved;
  assert.equal(await progress(page, 'Phase 1: Setup'), '1 of 2');
  assert.equal(await progress(page, 'Phase 2: User Story 1 - Show the tides'), '1 of 2');
  const [before, now] = [Buffer.from(DOCUMENT), await download(page)];
  assert.equal(now.length, before.length);
  assert.deepEqual([...now.keys()].filter(at => now[at] !== before[at]), [before.indexOf('] T001') - 1]);
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, `${width} pixels`);
    await page.screenshot({ path: `${PICTURES}/list-${entry === 'urql' ? 'urql' : 'apollo'}-${width}.png`, fullPage: true });
  }
});

forEach('keeps an open list in step with other clients', async ({ page }, api) => {
  await page.getByText('Task lists', { exact: true }).click();
  await page.getByLabel('Or its text').fill('# Board\n\n## Phase 1\n\n- [ ] T001 One\n- [ ] T002 Two\n');
  await page.getByRole('button', { name: 'Import' }).click();
  await shows(page, ['- T001 One', '- T002 Two']);
  const { id, tasks: { nodes: [one, two] } } = await listOf(api);
  await api.ask('mutation($id: ID!) { completeTask(id: $id) { task { id } } }', { id: one.id });
  await api.rename(two.id, 'Second');
  await shows(page, ['✓ T001 One', '- T002 Second']);
  await page.getByText('Task lists', { exact: true }).click();
  await eventually(TIME_LIMIT_MS, async () => assert.equal(await page.getByRole('list', { name: 'Task lists' }).getByText('1 of 2').count(), 1));
  await merge(api, id, '# Harbour\n\n## Phase 1\n\n- [ ] T001 One\n- [ ] T003 Between\n- [ ] T002 Second\n\n## Phase 2: End\n\n- [ ] T004 Last\n');
  await shows(page, ['✓ T001 One', '- T003 Between', '- T002 Second', '- T004 Last']);
  await page.getByRole('heading', { name: 'Harbour' }).waitFor();
  await page.getByRole('heading', { name: 'Phase 2: End' }).waitFor();
  await api.remove(two.id);
  await shows(page, ['✓ T001 One', '- T003 Between', '- T004 Last']);
  await page.reload();
  await page.getByText('There are no tasks.').waitFor();
  await page.getByText('Task lists', { exact: true }).click();
  await page.getByRole('button', { name: 'Harbour' }).click();
  await api.restore(two.id);
  await shows(page, ['✓ T001 One', '- T003 Between', '- T002 Second', '- T004 Last']);
  await page.getByRole('button', { name: 'Back to the tasks' }).click();
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Task lists');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Harbour' }).press('Enter');
  await page.getByRole('heading', { name: 'Harbour' }).waitFor();
  await api.ask('mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }', { id });
  await page.getByLabel('New task').waitFor();
  await page.getByText('Task lists', { exact: true }).click();
  await page.getByText('There are no task lists.').waitFor();
});

forEach('reads a long list page by page, and says why a file is refused', async (window, api) => {
  const { page } = window;
  const lines = Array.from({ length: 250 }, (_, number) => `- [ ] T${1000 + number} Task ${number}`);
  await importFile(window, Buffer.from([0x23, 0x20, 0xff]));
  await page.getByRole('alert').getByText('The file cannot be read as UTF-8 text.').waitFor();
  await page.getByLabel('Markdown file').setInputFiles({ name: 'tasks.md', mimeType: 'text/markdown', buffer: Buffer.from('# \0') });
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByRole('alert').getByText('U+0000').waitFor();
  await page.getByLabel('Markdown file').setInputFiles({ name: 'tasks.md', mimeType: 'text/markdown', buffer: Buffer.from(lines.join('\n')) });
  await page.getByRole('button', { name: 'Import' }).click();
  const expected = lines.map(line => line.slice(6));
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual((await tasksOf(page)).map(task => task.slice(2)), expected));
  // Another client adds a task in the middle.
  const { id, tasks: { nodes } } = await listOf(api);
  await api.ask('mutation($id: ID!, $after: ID!) { createTask(input: { title: "New", list: { listId: $id, after: $after } }) { task { id } } }', { id, after: nodes[9].id });
  expected.splice(10, 0, 'T1250 New');
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual((await tasksOf(page)).map(task => task.slice(2)), expected));
});
