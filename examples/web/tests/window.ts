// A window of the browser with one of the pages, used as a person would use it.
import assert from 'node:assert/strict';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { eventually, PASSWORD } from './server.js';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
/** The longest time that a test waits for a condition. Machines that run several tests at once are slow. */
export const TIME_LIMIT_MS = 30_000;

/** The folder of the screenshots. */
export const PICTURES = process.env.PICTURES ?? 'build';

export const PAGES = { 'Apollo Client': 'index.html', urql: 'urql.html' } as const;
export type Entry = keyof typeof PAGES;
export const ENTRIES = Object.keys(PAGES) as Entry[];

/** What the browser reports while the network is cut. */
export const NETWORK_ERRORS = /net::ERR_|WebSocket connection to .* failed|WebSocket is closed before|status of 50\d/;

/** Playwright gives each browser a new profile folder. */
export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS });

export class Window {
  /** Messages and requests that a faultless page does not have. */
  faults: string[] = [];

  private constructor(readonly page: Page, readonly entry: Entry) {}

  static async open(address: string, context: BrowserContext, entry: Entry): Promise<Window> {
    const page = await context.newPage();
    page.setDefaultTimeout(TIME_LIMIT_MS);
    const window = new Window(page, entry);
    page.on('console', message => {
      if (message.type() === 'error' || message.type() === 'warning') window.faults.push(message.text());
    });
    page.on('pageerror', error => window.faults.push(`script: ${error.message}`));
    page.on('request', request => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== address && protocol !== 'data:') window.faults.push(`asks elsewhere: ${request.url()}`);
    });
    await page.goto(`${address}/${PAGES[entry]}`);
    return window;
  }

  /** Fails if the page has reported a fault; those of the network may be expected. */
  check(expected?: RegExp) {
    assert.deepEqual(this.faults.filter(fault => !expected?.test(fault)), []);
    this.faults = [];
  }

  async signIn(email: string, button: 'Register' | 'Sign in' = 'Sign in', password = PASSWORD) {
    await this.page.getByLabel('E-mail').fill(email);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: button }).click();
    await this.page.getByLabel('New task').waitFor();
    await this.isLive();
  }

  /** Waits until the page follows the changes. */
  async isLive() {
    await this.page.locator('.banner.live').waitFor({ state: 'attached' });
  }

  banner(text: string) {
    return this.page.getByRole('status').getByText(text).waitFor({ timeout: 2 * TIME_LIMIT_MS });
  }

  async add(title: string) {
    await this.page.getByLabel('New task').fill(title);
    await this.page.keyboard.press('Enter');
  }

  row(title: string) {
    return this.page.getByRole('listitem').filter({ has: this.page.getByText(title, { exact: true }) });
  }

  /** Begins to rename a task; `save` ends it. */
  async type(title: string, newTitle: string) {
    await this.page.getByRole('button', { name: `Rename ${title}`, exact: true }).click();
    await this.page.getByLabel(`New title of ${title}`, { exact: true }).fill(newTitle);
  }

  async save() {
    await this.page.getByRole('button', { name: 'Save' }).click();
  }

  async rename(title: string, newTitle: string) {
    await this.type(title, newTitle);
    await this.save();
  }

  complete(title: string, completed = true) {
    return this.page.getByRole('checkbox', { name: title, exact: true }).setChecked(completed);
  }

  remove(title: string) {
    return this.page.getByRole('button', { name: `Delete ${title}`, exact: true }).click();
  }

  /** The titles that are shown; completed ones begin with a tick. */
  titles(): Promise<string[]> {
    return this.page.getByRole('list', { name: 'Tasks' }).getByRole('listitem').evaluateAll(rows =>
      rows.map(row => `${row.querySelector<HTMLInputElement>('[type=checkbox]')?.checked ? '✓ ' : ''}${row.querySelector('span')?.textContent}`));
  }

  /** Waits until exactly these titles are shown. */
  async shows(expected: string[], within = TIME_LIMIT_MS) {
    await eventually(within, async () => assert.deepEqual(await this.titles(), expected, this.entry));
  }
}
