// What becomes of the list when connections break and servers restart.
import assert from 'node:assert/strict';
import { equalToServer, withBoth } from './both.js';
import { eventually } from './server.js';
import { NETWORK_ERRORS, TIME_LIMIT_MS } from './window.js';

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

withBoth('an open task list follows through cuts and a restored backup', {}, NETWORK_ERRORS, async ({ server, windows, api }) => {
  const markdown = '# Harbour board\n\n## Phase 1: Setup\n\n- [ ] T001 One\n- [ ] T002 Two\n';
  await api.ask('mutation($markdown: String!) { importTaskList(input: { markdown: $markdown }) { taskList { id } } }', { markdown });
  const boxes = (expected: boolean[]) => Promise.all(windows.map(({ page }) => eventually(TIME_LIMIT_MS, async () => {
    const shown = page.getByRole('list', { name: 'Tasks of Phase 1: Setup' }).getByRole('checkbox');
    assert.deepEqual(await shown.evaluateAll(all => all.map(box => (box as HTMLInputElement).checked)), expected);
  })));
  const toggle = async (title: string) => api.ask('mutation($id: ID!) { toggleTask(id: $id) { task { id } } }', { id: await api.idOf(title) });
  for (const { page } of windows) {
    await page.getByText('Task lists', { exact: true }).click();
    await page.getByRole('button', { name: 'Harbour board' }).click();
  }
  await boxes([false, false]);
  server.proxy.cut();
  await toggle('One');
  await boxes([true, false]);
  await server.stop();
  await server.copyDatabase('to backup');
  await server.run();
  await toggle('Two');
  await boxes([true, true]);
  await server.stop();
  await server.copyDatabase('from backup');
  await server.command('resync');
  await server.run();
  await boxes([true, false]);
});
