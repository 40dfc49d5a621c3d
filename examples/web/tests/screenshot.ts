// Makes the picture of the repository's README: the two pages side by side, with one user. The argument is the file.
import { readFileSync } from 'node:fs';
import { Api } from './server.js';
import { startSite } from './site.js';
import { ENTRIES, launch, Window } from './window.js';

const SIZE = { width: 520, height: 500 };

const site = await startSite();
const browser = await launch();
const pictures: string[] = [];
for (const [number, entry] of ENTRIES.entries()) {
  const window = await Window.open(site.address, await browser.newContext({ viewport: SIZE, colorScheme: number ? 'dark' : 'light' }), entry);
  await window.signIn('ann@example.com', number ? 'Sign in' : 'Register');
  if (number === 0) {
    await site.server.command('user', 'verify-email', 'ann@example.com');
    await window.page.reload(); // Without the reminder.
    const api = await Api.signIn(site.server, 'ann@example.com');
    for (const title of ['Buy bread', 'Write to the harbour master', 'Repair the fence', 'Water the plants']) await api.add(title);
    await window.complete('Buy bread');
  } else {
    await window.type('Repair the fence', 'Repair the fence and the gate');
  }
  await window.page.waitForTimeout(500);
  pictures.push((await window.page.screenshot()).toString('base64'));
}
const page = await browser.newPage({ viewport: { width: 2 * SIZE.width + 48, height: SIZE.height + 32 } });
const images = pictures.map(picture => `<img src="data:image/png;base64,${picture}">`).join('');
await page.setContent(`<style>
  body { margin: 16px; display: flex; gap: 16px; background: #d4d8dd }
  img { border-radius: 8px; box-shadow: 0 1px 4px #0006 }
</style>${images}`);
const file = process.argv[2] ?? '../../docs/images/example.png';
await page.screenshot({ path: file });
console.log(`${file}: ${readFileSync(file).length} bytes`);
await browser.close();
await site.close();
