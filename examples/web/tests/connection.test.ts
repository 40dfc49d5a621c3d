// What becomes of the list when connections break, tokens expire, sessions end and servers restart. Both pages are open.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { Api, eventually, type Server } from './server.js';
import { startSite } from './site.js';
import { ENTRIES, launch, NETWORK_ERRORS, Window } from './window.js';

let browser: Browser;

before(async () => { browser = await launch(); });
after(() => browser?.close());

interface Setting {
  server: Server;
  /** The address of the pages. */
  address: string;
  /** Each page in a window of its own, with the same user. */
  windows: Window[];
  api: Api;
}

const EMAIL = 'ann@example.com';

function withBoth(name: string, options: Record<string, string>, expected: RegExp | undefined, body: (setting: Setting) => Promise<void>) {
  test(`both: ${name}`, { timeout: 90_000 }, async () => {
    const { server, address, close } = await startSite(options);
    try {
      const windows: Window[] = [];
      for (const entry of ENTRIES) {
        const window = await Window.open(address, await browser.newContext(), entry);
        windows.push(window);
        await window.signIn(EMAIL, windows.length > 1 ? 'Sign in' : 'Register');
      }
      await body({ server, address, windows, api: await Api.signIn(server, EMAIL) });
      for (const window of windows) window.check(expected);
      await Promise.all(browser.contexts().map(context => context.close()));
    } finally {
      await close();
    }
  });
}

/** Waits until each window shows what the server has. */
async function equalToServer({ windows, api }: Setting) {
  await Promise.all(windows.map(window => eventually(15_000, async () => assert.deepEqual(await window.titles(), await api.titles(), window.entry))));
}

withBoth('ten cuts while another client makes 200 changes lose nothing', {}, NETWORK_ERRORS, async setting => {
  const { server, api } = setting;
  const changing = api.change(200, 10);
  for (let cuts = 0; cuts < 10; cuts += 1) {
    server.proxy.cut();
    await new Promise(done => setTimeout(done, 400));
  }
  await changing;
  await equalToServer(setting);
});

withBoth('a connection that is silent for 30 s is noticed, and the list catches up', {}, NETWORK_ERRORS, async setting => {
  const { server, windows, api } = setting;
  await api.add('Before');
  await equalToServer(setting);
  server.proxy.hold();
  const held = Date.now();
  await api.change(8);
  for (const window of windows) {
    await window.banner('Offline: changes cannot be saved.');
    await window.page.getByText(/The list is \d+ s old/).waitFor();
    assert.deepEqual(await window.titles(), ['Before'], 'the list stays readable');
    assert.ok(await window.page.getByLabel('New task').isDisabled());
  }
  await new Promise(done => setTimeout(done, held + 30_000 - Date.now()));
  server.proxy.release();
  await Promise.all(windows.map(window => window.banner('Back: up to date again.')));
  await equalToServer(setting);
  await Promise.all(windows.map(window => window.isLive()));
});

withBoth('without a network the form is disabled and keeps its text', {}, NETWORK_ERRORS, async setting => {
  const { windows, api } = setting;
  for (const window of windows) {
    await window.page.getByLabel('New task').fill('Half a sent');
    await window.page.context().setOffline(true);
    await window.banner('Offline: changes cannot be saved.');
    assert.ok(await window.page.getByLabel('New task').isDisabled());
  }
  await api.change(8);
  for (const window of windows) {
    await window.page.context().setOffline(false);
    await window.banner('Back: up to date again.');
    assert.equal(await window.page.getByLabel('New task').inputValue(), 'Half a sent');
    assert.ok(await window.page.getByLabel('New task').isEnabled());
  }
  await equalToServer(setting);
});

withBoth('a restart, `taskhold resync` and a restored backup lead to the list of the server', {}, NETWORK_ERRORS, async setting => {
  const { server, api } = setting;
  await api.change(8);
  await equalToServer(setting);
  await server.stop();
  await server.run();
  await api.change(8);
  await equalToServer(setting);
  await server.command('resync');
  await api.change(8);
  await equalToServer(setting);
  // After a backup was restored, the pages know more than the server.
  await server.stop();
  await server.copyDatabase('to backup');
  await server.run();
  await api.rename(await api.idOf('Added'), 'Lost with the restored backup');
  await api.add('Lost, too');
  await equalToServer(setting);
  await server.stop();
  await server.copyDatabase('from backup');
  await server.command('resync');
  await server.run();
  await equalToServer(setting);
});

withBoth('tokens expire, sockets come back with new ones, and no change is missing', { ACCESS_TOKEN_TTL: '5s' }, undefined, async setting => {
  const { windows } = setting;
  const sockets = new Map(windows.map(window => [window, 0]));
  for (const window of windows) window.page.on('websocket', () => sockets.set(window, sockets.get(window)! + 1));
  const expiry = Date.now() + 12_000;
  for (let round = 0; Date.now() < expiry; round += 1) {
    await windows[round % 2].add(`Round ${round}`);
    await windows[(round + 1) % 2].page.getByText(`Round ${round}`, { exact: true }).waitFor();
    await new Promise(done => setTimeout(done, 300));
  }
  await equalToServer(setting);
  for (const [window, opened] of sockets) {
    assert.ok(opened >= 2, `${window.entry}: ${opened} new sockets`);
    assert.equal(await window.page.locator('.banner.live').count(), 1);
  }
});

withBoth('two tabs share a session, even if one of them sleeps', { ACCESS_TOKEN_TTL: '5s' }, NETWORK_ERRORS, async setting => {
  const { address, windows } = setting;
  await Promise.all(windows.map(async window => {
    const [awake, slept] = ['awake', 'asleep'].map(state => `Of the tab that was ${state}, with ${window.entry}`);
    const tab = await Window.open(address, window.page.context(), window.entry);
    await tab.isLive();
    const protocol = await window.page.context().newCDPSession(tab.page);
    await protocol.send('Page.setWebLifecycleState', { state: 'frozen' });
    // During this time the other tab uses refresh tokens; one that is used again after 10 s would end the session.
    await new Promise(done => setTimeout(done, 13_000));
    await window.add(awake);
    await protocol.send('Page.setWebLifecycleState', { state: 'active' });
    await tab.page.getByText(awake).waitFor();
    await tab.add(slept);
    await window.page.getByText(slept).waitFor();
  }));
  await equalToServer(setting);
});

withBoth('a session that ends shows the sign-in form, and the text is kept for its user', {}, undefined, async setting => {
  const { address, windows, api } = setting;
  const sentence = 'Your session has ended. Please sign in again.';
  const tab = await Window.open(address, windows[0].page.context(), windows[0].entry);
  await tab.isLive();
  for (const [number, window] of windows.entries()) await window.page.getByLabel('New task').fill(`Text ${number}`);
  await api.ask('mutation { logout(scope: OTHERS) { success } }');
  await tab.page.getByText(sentence).waitFor();
  for (const [number, window] of windows.entries()) {
    await window.page.getByText(sentence).waitFor();
    assert.equal(await window.page.getByText('Text').count(), 0);
    await window.signIn(EMAIL);
    assert.equal(await window.page.getByLabel('New task').inputValue(), `Text ${number}`);
  }
  await windows[0].add('One');
  await tab.shows(['One']);
  await equalToServer(setting);
});

withBoth('signing out in one tab signs the others out, and the next user sees nothing of the one before', {}, undefined, async setting => {
  const { address, windows, api } = setting;
  await api.add('A secret of Ann');
  await equalToServer(setting);
  for (const [number, window] of windows.entries()) {
    const tab = await Window.open(address, window.page.context(), window.entry);
    await tab.shows(['A secret of Ann']);
    await tab.page.getByLabel('New task').fill('A draft of Ann');
    await window.page.getByRole('button', { name: 'Sign out' }).click();
    await tab.page.getByLabel('Password').waitFor();
    assert.equal(await tab.page.getByText('Your session has ended').count(), 0);
    await window.signIn(`bob${number}@example.com`, 'Register');
    // The other tab follows.
    await tab.isLive();
    for (const page of [tab.page, window.page]) {
      await page.getByText('There are no tasks.').waitFor();
      assert.equal(await page.getByLabel('New task').inputValue(), '');
      assert.equal(await page.getByText('Ann').count(), 0);
    }
    await window.add('A task of Bob');
    await tab.shows(['A task of Bob']);
    tab.check();
  }
});
