// What a user does with the account: verifies and changes the e-mail address, sets a new password, and makes API keys. The links
// come from the mails that the program writes into its folder.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Api, eventually, PASSWORD } from './server.js';
import { startSite, type Site } from './site.js';
import { ENTRIES, launch, PICTURES, TIME_LIMIT_MS, Window } from './window.js';

const NOT_VALID = 'This link is not valid any more. Ask for a new one.';
let browser: Browser;
let site: Site;
let users = 0;

before(async () => {
  browser = await launch();
  site = await startSite({ LIMIT_MAILS_PER_HOUR: '0' });
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Runs a test for each page, with a new user. */
function forEach(name: string, body: (window: Window, email: string) => Promise<void>, expected?: RegExp) {
  for (const entry of ENTRIES) {
    test(`${entry}: ${name}`, { timeout: 120_000 }, async () => {
      const email = `user${users += 1}@example.com`;
      const window = await Window.open(site.address, await browser.newContext(), entry);
      await window.signIn(email, 'Register');
      await body(window, email);
      window.check(expected);
      await window.page.context().close();
    });
  }
}

/** Follows a link of a mail in another tab. */
async function follow(window: Window, link: string): Promise<Page> {
  const page = await window.page.context().newPage();
  await page.goto(link);
  await page.getByRole('button').waitFor();
  assert.equal(page.url(), `${site.address}/link.html`, 'the token is not in the address bar');
  return page;
}

async function verify(window: Window, link: string, email: string) {
  const page = await follow(window, link);
  await page.getByRole('button', { name: 'Verify address' }).click();
  await page.getByText(`${email} is the e-mail address of your account.`).waitFor();
  await page.close();
  // The browser without a window gives every page the focus, so that the user's return has to be told.
  await window.page.evaluate('dispatchEvent(new Event("focus"))');
}

const reminder = ({ page }: Window) => page.getByText('Verify your e-mail address');

forEach('reminds of the verification until the link was followed', async (window, email) => {
  await reminder(window).getByText(email).waitFor();
  await window.page.getByRole('button', { name: 'Send again' }).click();
  const [, link] = await site.server.links('verify-email', email, 2);
  await verify(window, link, email);
  await reminder(window).waitFor({ state: 'detached' });
});

forEach('changes the e-mail address', async (window, email) => {
  const { page } = window;
  const newEmail = `new-${email}`;
  const change = async (password: string) => {
    await page.getByLabel('New e-mail address').fill(newEmail);
    await page.getByRole('region', { name: 'E-mail address' }).getByLabel('Current password').fill(password);
    await page.getByRole('button', { name: 'Change', exact: true }).click();
  };
  await page.getByText('Account', { exact: true }).click();
  await change('wrong');
  await page.getByRole('region', { name: 'E-mail address' }).getByRole('alert').getByText('password').waitFor();
  assert.equal(await page.getByLabel('New e-mail address').inputValue(), newEmail);
  const pending = page.getByRole('status').getByText(`It will be ${newEmail}`);
  await change(PASSWORD);
  await pending.waitFor();
  const [cancelled] = await site.server.links('confirm-email', newEmail);
  await page.getByRole('button', { name: 'Cancel the change' }).click();
  await pending.waitFor({ state: 'detached' });
  const late = await follow(window, cancelled);
  await late.getByRole('button').click();
  await late.getByRole('alert').getByText(NOT_VALID).waitFor();
  await late.close();
  await change(PASSWORD);
  await pending.waitFor();
  await eventually(TIME_LIMIT_MS, async () => assert.equal(await page.getByLabel('New e-mail address').inputValue(), ''));
  const [, link] = await site.server.links('confirm-email', newEmail, 2);
  await verify(window, link, newEmail);
  await pending.waitFor({ state: 'detached' });
  await page.getByText(newEmail, { exact: true }).waitFor();
  assert.equal(await reminder(window).count(), 0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await window.signIn(newEmail);
});

forEach('makes API keys, shows each token once, and revokes them', async (window, email) => {
  const { page } = window;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByText('Account', { exact: true }).click();
  const keys = page.getByRole('region', { name: 'API keys' });
  const create = keys.getByRole('button', { name: 'Create the key' });
  await keys.getByLabel('Name of a new key').fill('Nightly export');
  await keys.getByLabel('Days until it expires').fill('5000');
  await keys.getByLabel('Current password').fill(PASSWORD);
  await create.click();
  await keys.getByRole('group', { name: 'The key may' }).getByRole('alert').waitFor();
  await keys.getByLabel('read and change tasks').check();
  await create.click();
  await keys.locator('.field', { hasText: 'Days until it expires' }).getByRole('alert').waitFor();
  await keys.getByLabel('Days until it expires').fill('30');
  await create.click();
  const token = await keys.getByLabel('Token of the new key').inputValue();
  assert.match(token, /^taskhold_key_[0-9A-Za-z]{42}$/);
  await keys.getByRole('button', { name: 'Copy' }).click();
  await keys.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), token);
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 720 });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, `${width} pixels`);
  }
  await page.screenshot({ path: `${PICTURES}/account-${window.entry === 'urql' ? 'urql' : 'apollo'}.png`, fullPage: true });
  // A script changes a task.
  const script = await Api.signIn(site.server, email);
  script.token = token;
  await script.add('Added by a script');
  await window.shows(['Added by a script']);
  await page.reload();
  await page.getByText('Account', { exact: true }).click();
  await keys.getByText(token.slice(0, 17)).waitFor();
  assert.equal((await page.content()).includes(token), false);
  assert.equal((await page.evaluate<string>('JSON.stringify({ ...localStorage, ...sessionStorage })')).includes(token), false);
  page.once('dialog', dialog => void dialog.accept());
  await keys.getByRole('button', { name: 'Revoke Nightly export' }).click();
  await keys.getByText('Nightly export').waitFor({ state: 'detached' });
  await assert.rejects(script.add('Refused'), /Invalid token/);
});

forEach('sets a new password by the link of a mail', async (window, email) => {
  const { page } = window;
  const other = await Window.open(site.address, await browser.newContext(), window.entry);
  await other.signIn(email);
  await page.getByRole('button', { name: 'Sign out' }).click();
  const forgot = page.getByRole('button', { name: 'Forgot password?' });
  await forgot.click();
  await page.locator('.field', { hasText: 'E-mail' }).getByRole('alert').waitFor();
  await page.getByLabel('E-mail').fill(email);
  await forgot.click();
  await page.getByRole('status').getByText('If there is such an account, a mail with a link is on its way.').waitFor();
  const [link] = await site.server.links('reset-password', email);
  const set = async (linked: Page, password: string, repeated = password) => {
    await linked.getByLabel('New password', { exact: true }).fill(password);
    await linked.getByLabel('New password again').fill(repeated);
    await linked.getByRole('button', { name: 'Set password' }).click();
  };
  const linked = await follow(window, link);
  await linked.getByText('At least one digit.').waitFor();
  await linked.screenshot({ path: `${PICTURES}/link-reset.png` });
  await set(linked, 'correct-horse-2', 'correct-horse-3');
  await linked.getByRole('alert').getByText('The passwords are not the same.').waitFor();
  await set(linked, 'short');
  await linked.locator('.field', { hasText: 'New password' }).getByText(/8 characters and .* digit/).waitFor();
  await set(linked, 'correct-horse-2');
  await linked.getByRole('link', { name: `Sign in as ${email}` }).click();
  await linked.getByLabel('Password').waitFor();
  await other.page.getByText('Your session has ended. Please sign in again.').waitFor();
  await window.signIn(email, 'Sign in', 'correct-horse-2');
  // A reset has verified the address.
  await page.getByText('Account', { exact: true }).waitFor();
  assert.equal(await reminder(window).count(), 0);
  const again = await follow(window, link);
  await set(again, 'correct-horse-3');
  await again.getByRole('alert').getByText(NOT_VALID).waitFor();
  await other.page.context().close();
});
