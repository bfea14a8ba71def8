import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskReport } from '../../src/report/model.js';
import { barriersIn } from './axe.js';
import { closePagesAfterEach, open, settle, silent } from './browser.js';
import { HOSTILE, hostileReport, UNSEEN } from './hostile.js';
import { reportOf, TASK_NAMES, taskPage } from './reports.js';

closePagesAfterEach();

const MOST_BYTES = 2 * 1024 * 1024;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'pages-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The address of a page that was saved to disk. */
function saved(report: TaskReport): string {
  const path = join(directory, 'index.html');
  writeFileSync(path, taskPage(report));
  return pathToFileURL(path).href;
}

/** What is on a page that can run, load or leave, other than its own script, its data, and links that are meant. */
function strangersIn(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const strangers: string[] = [];
    for (const element of document.querySelectorAll('*')) {
      const name = element.localName;
      if (
        /^(?:iframe|object|embed|img|base|form|audio|video|frame|portal|foreignobject|noscript|template)$/i.test(
          name,
        )
      ) {
        strangers.push(`<${name}>`);
      }
      for (const { name: attribute, value } of element.attributes) {
        const isLink = /(?:^|:)(?:href|src|action|formaction|data)$/.test(attribute);
        const isMeant = /^(?:#|https:\/\/(?:master|agent)\.example\/)/.test(value) || name === 'link';
        if (attribute.startsWith('on') || (isLink && !isMeant))
          strangers.push(`<${name} ${attribute}=${value}>`);
      }
    }
    const allowed =
      document.querySelector<HTMLMetaElement>('meta[http-equiv="Content-Security-Policy"]')?.content ?? '';
    const hashes = /script-src ([^;]*)/.exec(allowed)?.[1]?.split(' ') ?? [];
    const scripts = [...document.scripts].filter(({ type }) => type !== 'application/json');
    if (scripts.length !== hashes.length) strangers.push(`${scripts.length} scripts`);
    if (document.styleSheets.length !== 1) strangers.push(`${document.styleSheets.length} style sheets`);
    const metas = [...document.querySelectorAll('meta[http-equiv]')].length;
    if (metas !== 1) strangers.push(`${metas} metas`);
    return strangers;
  });
}

/** Of all widths and colours in turn. */
async function* looksOf(page: Page): AsyncGenerator<string> {
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      yield `${width}, ${colorScheme}`;
    }
  }
}

/** How much wider than the screen the page is. */
function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

describe.each(TASK_NAMES)('the page of a task: %s', (name) => {
  test('loads nothing, breaks no rule of its own and fits on every screen', async () => {
    const url = saved(reportOf(name));
    const { page, heard } = await open(url);
    for await (const look of looksOf(page)) expect(`${look}: ${await overflowOf(page)}`).toBe(`${look}: 0`);
    await settle(page);
    expect(heard).toEqual(silent(url));
  });
});

test.each(['success', 'failed', 'running', 'retries', 'a damaged stream', 'odd names'] as const)(
  'everybody can use the page of a task: %s',
  async (name) => {
    const { page } = await open(saved(reportOf(name)));
    for await (const look of looksOf(page)) expect([look, ...(await barriersIn(page))]).toEqual([look]);
  },
);

describe('a page of hostile texts', () => {
  test('shows them, and does nothing that they say', async () => {
    const url = saved(hostileReport());
    const { page, heard } = await open(url);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    await page.mouse.move(200, 200);
    await settle(page);
    expect(heard).toEqual(silent(url));
    expect(await strangersIn(page)).toEqual([]);
    const text = await page.evaluate(() => document.body.innerText);
    expect(text.match(UNSEEN)).toBeNull();
    for (const shown of HOSTILE.slice(0, 14)) expect(text).toContain(shown);
  });

  test('is not larger than a page may be', () => {
    expect(Buffer.byteLength(taskPage(hostileReport()))).toBeLessThanOrEqual(MOST_BYTES);
  });
});

test('a page needs no script', async () => {
  const url = saved(reportOf('retries'));
  const { page } = await open(url);
  const { page: without } = await open(url, { javaScript: false });
  const textOf = (shown: Page) => shown.evaluate(() => document.body.textContent);
  expect(await textOf(without)).toBe(await textOf(page));
});

test('a page says which language it has, what it is, and where its parts are', async () => {
  const { page } = await open(saved(reportOf('failed')));
  const found = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    parts: [...document.body.children]
      .map(({ localName }) => localName)
      .filter((name) => /^(?:header|main|footer)$/.test(name)),
    titles: document.querySelectorAll('h1').length,
  }));
  expect(found).toEqual({
    lang: 'en',
    title: expect.stringMatching(/^FAILED.*www-data-devel-etl-3/),
    parts: ['header', 'main', 'footer'],
    titles: 1,
  });
});
