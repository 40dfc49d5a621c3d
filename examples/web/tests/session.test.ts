// What becomes of the list when tokens expire and sessions end.
import assert from 'node:assert/strict';
import { EMAIL, equalToServer, withBoth } from './both.js';
import { NETWORK_ERRORS, Window } from './window.js';

withBoth('tokens expire, sockets come back with new ones, and no change is missing', { ACCESS_TOKEN_TTL: '5s' }, undefined, async setting => {
  const { windows } = setting;
  const sockets = new Map(windows.map(window => [window, 0]));
  for (const window of windows) window.page.on('websocket', () => sockets.set(window, sockets.get(window)! + 1));
  for (let round = 0; Math.min(...sockets.values()) < 2; round += 1) {
    await windows[round % 2].add(`Round ${round}`);
    await windows[(round + 1) % 2].page.getByText(`Round ${round}`, { exact: true }).waitFor();
    await new Promise(done => setTimeout(done, 300));
  }
  await equalToServer(setting);
  for (const window of windows) await window.isLive();
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
