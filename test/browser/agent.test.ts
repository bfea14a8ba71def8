import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Agent } from '../agent/agent.js';
import { startAgent } from '../agent/serve.js';
import { closePagesAfterEach, open, silent } from './browser.js';

closePagesAfterEach();

let directory: string;
let base: string;
let agent: Agent;
let close: () => Promise<void>;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pages-'));
  ({ agent, url: base, close } = await startAgent({ id: 'S0' }));
  agent.files.attach(directory, '/sandbox');
});
afterAll(async () => {
  await close();
  rmSync(directory, { recursive: true });
});

const files = (call: string, name: string, more = '') =>
  `${base}/files/${call}?path=${encodeURIComponent(`/sandbox/${name}`)}${more}`;

/** A page on the disk of who looks at it. */
function page(body: string): string {
  const path = join(directory, 'page.html');
  writeFileSync(path, `<!doctype html><html lang="en"><title>page</title>${body}`);
  return pathToFileURL(path).href;
}

test('a page from disk reads every byte of a file by a script of the character set x-user-defined', async () => {
  const bytes = Array.from({ length: 65_536 }, (_, i) => (i < 256 ? i : (i * 40_503) >> 4) & 0xff);
  writeFileSync(join(directory, 'bytes'), Buffer.from(bytes));
  const source = files('read', 'bytes', '&offset=0&jsonp=take');
  const { page: shown } = await open(
    page(`<script>var taken; function take(answer) { taken = answer.data; }</script>
      <script charset="x-user-defined" src="${source.replaceAll('&', '&amp;')}"></script>`),
  );
  const taken = await shown.evaluate(() =>
    [...(globalThis as unknown as { taken: string }).taken].map((each) => each.charCodeAt(0) & 0xff),
  );
  expect(taken).toEqual(bytes);
});

test('a page from disk cannot fetch from an agent: it says nothing about other origins', async () => {
  writeFileSync(join(directory, 'log'), 'text');
  const { page: shown, heard } = await open(page(''));
  const answer = await shown.evaluate(
    (url) =>
      fetch(url).then(
        (response) => response.status,
        (error) => String(error),
      ),
    files('read', 'log', '&offset=0'),
  );
  expect(answer).toBe('TypeError: Failed to fetch');
  expect(heard.console.join('\n')).toContain('CORS');
});

test('an agent gives a page to be saved, never to be shown; a script of it runs in another page', async () => {
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>report</title>');
  writeFileSync(join(directory, 'report.js'), 'document.title = "it ran";');
  const { page: shown } = await open(page(`<script src="${files('download', 'report.js')}"></script>`));
  expect(await shown.title()).toBe('it ran');
  const downloading = shown.waitForEvent('download');
  // Nothing is loaded into the page, which is all that goto waits for.
  await shown.goto(files('download', 'index.html')).catch(() => {});
  expect((await downloading).suggestedFilename()).toBe('index.html');
  expect(await shown.title()).toBe('it ran');
});

test('what a page does in secret is heard', async () => {
  const quiet = page('<p>nothing</p>');
  expect((await open(quiet)).heard).toEqual(silent(quiet));
  const picture = `${base}/picture.png`;
  const body = `<img alt="" src="${picture}"><script>alert('hello')</script>`;
  const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'">`;
  const { heard } = await open(page(policy + body));
  expect(heard.violations.toSorted()).toEqual([`img-src ${picture}`, 'script-src-elem inline']);
  expect(heard.console).toHaveLength(2);
  // What the browser refuses was asked for nevertheless.
  expect(heard.requests).toHaveLength(2);
  expect(heard.dialogs).toEqual([]);
  const careless = await open(page(body));
  expect(careless.heard.requests).toHaveLength(2);
  expect(careless.heard.dialogs).toEqual(['hello']);
  const elsewhere = await open(page('<img alt="" src="https://example.com/picture.png">'));
  expect(elsewhere.heard.requests).toHaveLength(2);
  expect(elsewhere.heard.console.join()).toContain('ERR_NAME_NOT_RESOLVED');
  const without = await open(page(body), { javaScript: false });
  expect(without.heard.dialogs).toEqual([]);
});
