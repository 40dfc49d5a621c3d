// The board of a task list: two windows, one with each page, and a script that works on the same list.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Api, eventually } from './server.js';
import { startSite, type Site } from './site.js';
import { ENTRIES, launch, NETWORK_ERRORS, PICTURES, TIME_LIMIT_MS, Window } from './window.js';

const DOCUMENT = [
  '# Tasks: Pier lights', '',
  '## Phase 1: Setup', '', '- [ ] T001 Create the project in src/main.rs', '',
  '## Phase 2: User Story 1 - Switch the lights (Priority: P1)', '',
  '- [ ] T002 [P] [US1] Write the switch in src/switch.rs', '- [ ] T003 [P] [US1] Write the timer in src/timer.rs',
  '- [ ] T004 [US1] Connect both in src/switch.rs and src/timer.rs (depends on T002, T003)', '',
].join('\n');

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

interface Setting {
  windows: Window[];
  pages: Page[];
  /** The script. */
  api: Api;
  /** The id of the list. */
  id: string;
}

/** Runs a test with a new user: the script imports the list, and each window opens its board. */
function onBoards(name: string, document: string, body: (setting: Setting) => Promise<void>, prepare?: (context: BrowserContext) => Promise<unknown>) {
  test(`board: ${name}`, { timeout: 120_000 }, async () => {
    const email = `user${users += 1}@example.com`;
    const api = await Api.register(site.server, email);
    await site.server.command('user', 'verify-email', email); // Without the reminder on the pictures.
    const markdown = document;
    const id = (await api.ask('mutation($markdown: String!) { importTaskList(input: { markdown: $markdown }) { taskList { id } } }', { markdown }))
      .importTaskList.taskList.id;
    const windows = await Promise.all(ENTRIES.map(async entry => {
      const context = await browser.newContext();
      await prepare?.(context);
      const window = await Window.open(site.address, context, entry);
      await window.signIn(email);
      await window.page.getByText('Task lists', { exact: true }).click();
      await window.page.getByRole('list', { name: 'Task lists' }).getByRole('button').click();
      await window.page.getByRole('button', { name: 'Board', exact: true }).click();
      return window;
    }));
    await body({ windows, pages: windows.map(({ page }) => page), api, id });
    for (const window of windows) {
      window.check(NETWORK_ERRORS);
      await window.page.context().close();
    }
  });
}

const keysIn = (page: Page, column: string) => page.getByRole('region', { name: column, exact: true })
  .locator('.cards > li').evaluateAll(cards => cards.map(card => card.querySelector('b')!.textContent).join(' '));

const COLUMNS = ['Ready', 'Claimed', 'Not ready', 'Done'];

/** Waits until every page shows these keys in the four columns. */
const show = (pages: Page[], ...expected: string[]) => Promise.all(pages.map(page => eventually(TIME_LIMIT_MS, async () =>
  assert.deepEqual(await Promise.all(COLUMNS.map(column => keysIn(page, column))), expected))));

/** Waits until the column of claims was seen to have this key, and then no more, since `watch` was called. */
async function expires(page: Page, key: string) {
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await page.evaluate('claimed'), [key, '']));
}

/** Records what the column of claims shows: a slow machine may not look at it while it has a short claim. */
const watch = (page: Page) => page.evaluate(`{
  const region = document.querySelector('section[aria-label=Claimed]');
  window.claimed = [];
  new MutationObserver(() => {
    const keys = Array.from(region.querySelectorAll('.cards > li'), card => card.querySelector('b').textContent).join(' ');
    if (claimed.at(-1) !== keys) claimed.push(keys);
  }).observe(region, { childList: true, subtree: true });
}`);

const claim = async (api: Api, listId: string, ttlSeconds = 900) => (await api.ask(
  'mutation($input: ClaimNextTaskInput!) { claimNextTask(input: $input) { claim { id task { id key } } reason } }', { input: { listId, worker: 'script', ttlSeconds } },
)).claimNextTask.claim as { id: string; task: { id: string; key: string } };

const complete = (api: Api, id: string) => api.ask('mutation($id: ID!) { completeClaim(id: $id) { task { id } } }', { id });

/** Counts the requests that read the board. */
function countReadings(page: Page) {
  const counted = { readings: 0 };
  page.on('request', request => { if (/"operationName":"Board"/.test(request.postData() ?? '')) counted.readings += 1; });
  return counted;
}

onBoards('shows what a script claims, what expires, and what a completed task opens', DOCUMENT, async ({ pages, windows, api, id }) => {
  await show(pages, 'T001', '', 'T002 T003 T004', '');
  const counted = pages.map(countReadings);
  await Promise.all(pages.map(watch));
  await claim(api, id, 2);
  // Nothing reports an expiry.
  await Promise.all(pages.map(page => expires(page, 'T001')));
  await show(pages, 'T001', '', 'T002 T003 T004', '');
  for (const { readings } of counted) assert.ok(readings >= 2 && readings <= 5, `${readings} readings`);
  await complete(api, (await claim(api, id)).id);
  await show(pages, 'T002 T003', '', 'T004', 'T001');
  await pages[0].getByText('Waits for T002, T003').waitFor();
  assert.equal((await claim(api, id)).task.key, 'T002');
  await show(pages, 'T003', 'T002', 'T004', 'T001');
  for (const page of pages) await page.getByRole('region', { name: 'Claimed' }).getByText('script expires in 15 min').waitFor();
  for (const [at, scheme] of (['light', 'dark'] as const).entries()) {
    await pages[at].emulateMedia({ colorScheme: scheme });
    for (const width of [320, 760, 1280]) {
      await pages[at].setViewportSize({ width, height: 800 });
      assert.equal(await pages[at].evaluate('document.documentElement.scrollWidth <= innerWidth'), true, `${width} pixels`);
      const client = windows[at].entry === 'urql' ? 'urql' : 'apollo';
      await pages[at].screenshot({ path: `${PICTURES}/board-${client}-${width}.png`, fullPage: true });
    }
  }
});

onBoards('claims, renews, releases and completes, and says why there is no claim', DOCUMENT, async ({ pages, api, id }) => {
  const [page, other] = pages;
  const claimNext = page.getByRole('button', { name: 'Claim the next task' });
  await show(pages, 'T001', '', 'T002 T003 T004', '');
  await claimNext.click();
  await show(pages, '', 'T001', 'T002 T003 T004', '');
  await page.getByText('expires in 15 min').waitFor();
  await claimNext.click();
  await page.getByRole('status').getByText('No task is ready. The first claim expires in 15 min.').waitFor();
  await page.getByLabel('for').selectOption('1 hour');
  await page.getByRole('button', { name: 'Renew T001' }).click();
  await page.getByText('expires in 1 h').waitFor();
  await other.getByRole('button', { name: 'Release T001' }).click();
  await show(pages, 'T001', '', 'T002 T003 T004', '');
  await other.getByRole('button', { name: 'Claim the next task' }).click();
  await page.getByRole('button', { name: 'Complete T001' }).click();
  await show(pages, 'T002 T003', '', 'T004', 'T001');
  // A claim that ends before the request arrives.
  const { id: ended } = await claim(api, id);
  await show(pages, 'T003', 'T002', 'T004', 'T001');
  await page.route('**/graphql', async route => {
    if (route.request().postData()?.includes('RenewClaim')) await api.ask('mutation($id: ID!) { releaseClaim(id: $id) { releasedClaimId } }', { id: ended });
    await route.continue();
  });
  await page.getByRole('button', { name: 'Renew T002' }).click();
  await page.getByRole('alert').getByText('claim').waitFor();
  await show(pages, 'T002 T003', '', 'T004', 'T001');
  await claimNext.click();
  await show(pages, 'T003', 'T002', 'T004', 'T001');
  // Dependencies.
  await page.getByLabel('Dependencies of T003').first().click();
  const added = page.getByLabel('Key of another task');
  await added.fill('T009');
  await added.press('Enter');
  await page.getByRole('alert').getByText('The list has no task T009.').waitFor();
  await added.fill('T004');
  await added.press('Enter');
  await page.getByRole('alert').getByText('already waits for the task').waitFor();
  await added.fill('T002');
  await added.press('Enter');
  await show(pages, '', 'T002', 'T003 T004', 'T001');
  await page.getByLabel('Dependencies of T003').first().click();
  await page.getByRole('button', { name: 'Remove the dependency on T002' }).click();
  await show(pages, 'T003', 'T002', 'T004', 'T001');
});

const LONG = ['# Tasks: Long list', '', ...Array.from({ length: 120 }, (_, at) => `- [ ] T${1001 + at} [P] Task ${at + 1}`), '- [ ] T2001 The last'].join('\n');

onBoards('reads long columns page by page, and few times in a burst of changes', LONG, async ({ pages, api, id }) => {
  const keys = Array.from({ length: 120 }, (_, at) => `T${1001 + at}`);
  const first = keys.slice(0, 25).join(' ');
  // The task that is not ready is on a later page.
  await show(pages, first, '', 'T2001', '');
  const [page] = pages;
  await page.getByRole('button', { name: 'Show more: Ready' }).click();
  await show([page], keys.slice(0, 75).join(' '), '', 'T2001', '');
  await page.getByRole('button', { name: 'Show more: Ready' }).click();
  await show([page], keys.join(' '), '', 'T2001', '');
  await page.getByRole('button', { name: 'Show more: Ready' }).waitFor({ state: 'detached' });
  const counted = pages.map(countReadings);
  for (let at = 0; at < 30; at += 1) await complete(api, (await claim(api, id)).id);
  await show([page], keys.slice(30).join(' '), '', 'T2001', keys.slice(10, 30).toReversed().join(' '));
  await page.getByText('The latest 20 are shown.').waitFor();
  for (const { readings } of counted) assert.ok(readings <= 15, `${readings} readings for 60 changes`);
});

onBoards('notices an expiry although its clock is wrong, and is in step again after the connection was lost', DOCUMENT, async ({ pages, windows, api, id }) => {
  await show(pages, 'T001', '', 'T002 T003 T004', '');
  await Promise.all(pages.map(watch));
  await claim(api, id, 2);
  await Promise.all(pages.map(page => expires(page, 'T001')));
  await claim(api, id, 60);
  await show(pages, '', 'T001', 'T002 T003 T004', '');
  for (const page of pages) await page.getByText(/expires in [1-6]?[0-9] s/).waitFor();
  await site.server.stop();
  await windows[0].banner('Offline');
  await site.server.run();
  await pages[1].getByRole('button', { name: 'Release T001' }).click();
  await show(pages, 'T001', '', 'T002 T003 T004', '');
}, context => context.addInitScript('{ const now = Date.now; Date.now = () => now() + (location.pathname.includes("urql") ? 3600000 : -3600000); }'));
