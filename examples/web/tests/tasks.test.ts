// What a user does with the tasks, in each of the two pages and in both side by side.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { Api, eventually } from './server.js';
import { startSite, type Site } from './site.js';
import { ENTRIES, launch, NETWORK_ERRORS, PAGES, PICTURES, TIME_LIMIT_MS, Window, type Entry } from './window.js';

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

/** A new user in a new window, and the same user without a browser. */
async function signedUp(entry: Entry, context?: BrowserContext) {
  const email = `user${users += 1}@example.com`;
  const window = await Window.open(site.address, context ?? await browser.newContext(), entry);
  await window.signIn(email, 'Register');
  return { window, email, api: await Api.signIn(site.server, email) };
}

/** A second window of a user, with a session of its own. */
async function another(email: string, entry: Entry) {
  const window = await Window.open(site.address, await browser.newContext(), entry);
  await window.signIn(email);
  return window;
}

/** Runs a test for each page, then checks that no window has reported a fault. */
function forEach(name: string, body: (entry: Entry, windows: Window[]) => Promise<void>, expected?: RegExp) {
  for (const entry of ENTRIES) {
    test(`${entry}: ${name}`, { timeout: 120_000 }, async () => {
      const windows: Window[] = [];
      await body(entry, windows);
      for (const window of windows) {
        window.check(expected);
        await window.page.context().close();
      }
    });
  }
}

forEach('adds, renames, completes, deletes and restores; a reload shows the same list', async (entry, windows) => {
  const { window } = await signedUp(entry);
  windows.push(window);
  const { page } = window;
  await page.getByText('There are no tasks.').waitFor();
  for (const title of ['Water the plants', 'Write a letter', 'Buy bread']) {
    // The page does not wait for the response, and the server orders tasks by the time at which it creates them.
    const saved = page.waitForResponse(response => response.request().postData()?.includes(title) ?? false);
    await window.add(title);
    await saved;
  }
  await window.shows(['Buy bread', 'Write a letter', 'Water the plants']);
  await window.rename('Water the plants', 'Water the roses');
  await eventually(TIME_LIMIT_MS, async () => assert.equal(await page.evaluate('document.activeElement.ariaLabel'), 'Rename Water the roses'));
  await window.complete('Buy bread');
  await window.shows(['✓ Buy bread', 'Write a letter', 'Water the roses']);
  await window.remove('Write a letter');
  await window.shows(['✓ Buy bread', 'Water the roses']);
  await page.getByRole('button', { name: 'Undo' }).click();
  await window.shows(['✓ Buy bread', 'Write a letter', 'Water the roses']);
  await window.complete('Buy bread', false);
  await window.remove('Water the roses');
  await window.shows(['Buy bread', 'Write a letter']);
  await page.reload();
  await window.shows(['Buy bread', 'Write a letter']);
  // The sentences of the server, at their fields.
  await window.add('  ');
  await page.getByText('Title must not be empty.').waitFor();
  assert.equal(await page.getByLabel('New task').getAttribute('aria-invalid'), 'true');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').fill('wrong');
  await page.getByLabel('E-mail').fill('ann');
  await page.getByRole('button', { name: 'Register' }).click();
  await page.locator('.field', { hasText: 'Password' }).getByRole('alert').waitFor();
});

forEach('reads a long list page by page, while others change it', async (entry, windows) => {
  const { window, api } = await signedUp(entry);
  windows.push(window);
  const { page } = window;
  const ids: string[] = [];
  for (let number = 1; number <= 45; number += 1) ids.push(await api.add(`Task ${number}`));
  await page.reload();
  await window.isLive();
  const more = page.getByRole('button', { name: 'Load more' });
  await eventually(TIME_LIMIT_MS, async () => assert.equal((await window.titles()).length, 20));
  await window.shows((await api.titles(20)));
  // The last task of the page leaves the list and comes back; a task of a later page does so too.
  await api.remove(ids[25]);
  await api.remove(ids[20]);
  await window.shows((await api.titles(19)));
  await api.restore(ids[25]);
  await api.restore(ids[20]);
  await window.shows((await api.titles(20)));
  await api.remove(ids[8]);
  // The response is late: what happens while it is on its way is newer.
  const held = await hold(window, 'TaskList');
  await more.click();
  const late = await held.reached;
  await api.rename(ids[10], 'Renamed since');
  await api.remove(ids[12]);
  await api.restore(ids[8]);
  await api.add('Added since');
  await eventually(TIME_LIMIT_MS, async () => assert.equal((await window.titles())[0], 'Added since'));
  await late.release();
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await window.titles(), (await api.titles()).slice(0, 41)));
  await more.click();
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await window.titles(), await api.titles()));
  assert.equal(await more.count(), 0);
  assert.equal((await window.titles()).length, 45);
});

interface Late {
  release(): Promise<void>;
  lose(): Promise<void>;
}

/** Holds the response of the next request of an operation. The server has executed it. */
async function hold(window: Window, operation: string) {
  let arrived: (late: Late) => void;
  let waiting = true;
  const reached = new Promise<Late>(done => { arrived = done; });
  await window.page.route('**/graphql', async route => {
    if (!waiting || !route.request().postData()?.includes(` ${operation}(`)) return route.fallback();
    waiting = false;
    const response = await route.fetch();
    arrived({ release: () => route.fulfill({ response }), lose: () => route.abort() });
  });
  return { reached };
}

forEach('shows a change immediately, and undoes it if the server refuses it', async (entry, windows) => {
  const { window, api } = await signedUp(entry);
  windows.push(window);
  const { page } = window;
  const long = 'x'.repeat(201);
  await window.add('One');
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await api.titles(), ['One']));
  await window.shows(['One']);
  // The socket brings nothing until the response: the server has refused the change.
  let held = await hold(window, 'AddTask');
  await window.add(long);
  let late = await held.reached;
  await window.shows([long, 'One']);
  await late.release();
  await window.shows(['One']);
  await page.getByText('Title must').waitFor();
  assert.equal(await page.getByLabel('New task').inputValue(), long);
  held = await hold(window, 'EditTask');
  await window.rename('One', long);
  late = await held.reached;
  await window.shows([long]);
  await late.release();
  await page.getByLabel('New title of One').waitFor();
  assert.equal(await page.getByLabel('New title of One').inputValue(), long);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await window.shows(['One']);
  // Another client adds tasks while the response is on its way: to a change that succeeds, and to one that is refused.
  for (const title of ['Two', long]) {
    held = await hold(window, 'AddTask');
    await window.add(title);
    late = await held.reached;
    await api.add(`Beside ${title}`.slice(0, 20));
    await page.waitForTimeout(300);
    await late.release();
    await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await window.titles(), await api.titles()));
  }
  // The response of an own change arrives after a later change of another client.
  held = await hold(window, 'EditTask');
  await window.rename('One', 'Mine');
  late = await held.reached;
  await api.rename(await api.idOf('Mine'), 'Theirs');
  await page.waitForTimeout(300);
  await late.release();
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await window.titles(), await api.titles()));
  // A request that is on its way is visible too.
  await page.route('**/graphql', () => {}, { times: 1 });
  await window.complete('Theirs');
  await eventually(TIME_LIMIT_MS, async () => assert.equal((await window.titles()).at(-1), '✓ Theirs'));
});

forEach('does nothing twice, and asks nothing, if the response of a change is lost', async (entry, windows) => {
  const { window, api } = await signedUp(entry);
  windows.push(window);
  const { page } = window;
  let held = await hold(window, 'AddTask');
  await window.add('One');
  await (await held.reached).lose();
  await page.getByText('The server does not answer. Try again.').waitFor();
  await page.getByRole('button', { name: 'Add' }).click();
  await eventually(TIME_LIMIT_MS, async () => assert.equal(await page.getByLabel('New task').inputValue(), ''));
  await window.shows(['One']);
  assert.deepEqual(await api.titles(), ['One']);
  held = await hold(window, 'EditTask');
  await window.rename('One', 'Two');
  await (await held.reached).lose();
  await window.shows(['Two']);
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(await page.getByRole('alert').count(), 0);
}, NETWORK_ERRORS);

forEach('asks which title to keep if another window has changed it', async (entry, windows) => {
  const { window, email, api } = await signedUp(entry);
  const other = await another(email, entry === 'urql' ? 'Apollo Client' : 'urql');
  windows.push(window, other);
  const dialog = window.page.getByRole('dialog');
  await window.add('One');
  await other.shows(['One']);
  // Another change of the task is no conflict.
  await window.type('One', 'First');
  await other.complete('One');
  await window.save();
  await other.shows(['✓ First']);
  await window.type('First', 'Mine');
  await other.rename('First', 'Theirs');
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await api.titles(), ['Theirs']));
  await window.save();
  await dialog.getByText('Theirs', { exact: true }).waitFor();
  await dialog.getByText('Mine', { exact: true }).waitFor();
  assert.equal(await window.page.evaluate('document.activeElement.textContent'), 'Keep the other title');
  await window.page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await window.shows(['✓ Theirs']);
  await window.type('Theirs', 'Mine');
  await other.rename('Theirs', 'Also theirs');
  await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await api.titles(), ['Also theirs']));
  await window.save();
  await dialog.getByRole('button', { name: 'Overwrite it with yours' }).click();
  await other.shows(['✓ Mine']);
  await window.shows(['✓ Mine']);
  assert.deepEqual(await api.titles(), ['Mine']);
});

test('both: each change in one window appears in the other within a second', { timeout: 120_000 }, async () => {
  const { window: apollo, email, api } = await signedUp('Apollo Client');
  const urql = await another(email, 'urql');
  const both = [apollo, urql];
  const times: number[] = [];
  const appears = async (window: Window, expected: string[]) => {
    const begin = Date.now();
    await window.shows(expected);
    times.push(Date.now() - begin);
  };
  for (const [here, there] of [both, both.toReversed()]) {
    const name = here.entry;
    await here.add(`Added with ${name}`);
    await appears(there, [`Added with ${name}`]);
    await here.rename(`Added with ${name}`, `Renamed with ${name}`);
    await appears(there, [`Renamed with ${name}`]);
    await here.complete(`Renamed with ${name}`);
    await appears(there, [`✓ Renamed with ${name}`]);
    await here.remove(`Renamed with ${name}`);
    await appears(there, []);
    await here.page.getByRole('button', { name: 'Undo' }).click();
    await appears(there, [`✓ Renamed with ${name}`]);
    await here.remove(`Renamed with ${name}`);
    await appears(there, []);
  }
  // On a busy machine, single ones take longer.
  const median = times.sort((a, b) => a - b)[times.length / 2];
  assert.ok(median < 1_000, `${times.join(', ')} ms`);
  // Many changes at the same time.
  const ids = await Promise.all(Array.from({ length: 30 }, (_, number) => api.add(`Task ${number}`)));
  await Promise.all(ids.map((id, number) => number % 3 ? api.rename(id, `New title ${number}`) : api.remove(id)));
  for (const window of both) {
    await eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await window.titles(), await api.titles()));
    window.check();
  }
});

test('both: fit into narrow and wide windows, light and dark', { timeout: 120_000 }, async () => {
  for (const entry of ENTRIES) {
    const { window } = await signedUp(entry, await browser.newContext({ viewport: { width: 320, height: 640 }, colorScheme: 'dark' }));
    for (const title of ['Water the plants', 'A title that is long enough for two lines in a narrow window', `Unbroken${'x'.repeat(60)}`]) await window.add(title);
    await window.complete('Water the plants');
    await window.type('Water the plants', 'Water the roses');
    for (const width of [320, 1280]) {
      await window.page.setViewportSize({ width, height: 640 });
      assert.equal(await window.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, `${width} pixels`);
      await window.page.screenshot({ path: `${PICTURES}/${PAGES[entry].replace('.html', '')}-${width}.png` });
      await window.page.emulateMedia({ colorScheme: 'light' });
    }
    window.check();
  }
});
