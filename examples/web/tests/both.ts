// Tests in which both pages are open, each in a window of its own, with the same user.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { Api, eventually, type Server } from './server.js';
import { startSite } from './site.js';
import { ENTRIES, launch, TIME_LIMIT_MS, Window } from './window.js';

let browser: Browser;

before(async () => { browser = await launch(); });
after(() => browser?.close());

export interface Setting {
  server: Server;
  /** The address of the pages. */
  address: string;
  windows: Window[];
  api: Api;
}

export const EMAIL = 'ann@example.com';

/** `options` are those of the program; `expected` are the faults that the pages may report. */
export function withBoth(name: string, options: Record<string, string>, expected: RegExp | undefined, body: (setting: Setting) => Promise<void>) {
  test(`both: ${name}`, { timeout: 180_000 }, async () => {
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
export async function equalToServer({ windows, api }: Setting) {
  await Promise.all(windows.map(window => eventually(TIME_LIMIT_MS, async () => assert.deepEqual(await window.titles(), await api.titles(), window.entry))));
}
