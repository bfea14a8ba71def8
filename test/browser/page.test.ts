import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { seenBy } from '../report/seen.js';
import { barriersIn } from './axe.js';
import { closePagesAfterEach, open, settle, silent } from './browser.js';
import { expectToFit, LOOKS, overflowOf, unfoldAll } from './looks.js';
import { addressOf, largeReport, reportOf, saved, TASK_NAMES, taskPage } from './reports.js';

closePagesAfterEach();

describe.each(TASK_NAMES)('the page of a task: %s', (name) => {
  test('loads nothing, breaks no rule of its own and fits on every screen', async () => {
    const url = addressOf(name);
    const { page, heard } = await open(url);
    await unfoldAll(page);
    await expectToFit(page);
    await settle(page);
    expect(heard).toEqual(silent(url));
  });
});

describe.each(['failed', 'running', 'a damaged stream', 'odd names'] as const)(
  'everybody can use the page of a task: %s',
  (name) => {
    test.each(LOOKS)('$width pixels wide, $colorScheme', async (look) => {
      const { page } = await open(addressOf(name), look);
      await unfoldAll(page);
      expect(await barriersIn(page)).toEqual([]);
    });
  },
);

describe('the page of a task of which there is a record', () => {
  const url = () =>
    saved(taskPage({ ...reportOf('running'), resources_seen: seenBy(['web', 'x'.repeat(300)], 1.4e12) }));

  test('loads nothing, breaks no rule of its own and fits on every screen', async () => {
    const address = url();
    const { page, heard } = await open(address);
    await unfoldAll(page);
    await expectToFit(page);
    await settle(page);
    expect(heard).toEqual(silent(address));
  });

  test.each(LOOKS)('everybody can use it, $width pixels wide, $colorScheme', async (look) => {
    const { page } = await open(url(), look);
    expect(await barriersIn(page)).toEqual([]);
  });
});

/** How far down the parts of a page end, by their titles. */
function endsOf(page: Page): Promise<Record<string, number>> {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('section[aria-labelledby]')].map((section) => [
        document.getElementById(section.getAttribute('aria-labelledby') ?? '')?.textContent ?? '',
        section.getBoundingClientRect().bottom,
      ]),
    ),
  );
}

describe('what a person looks for first is seen without scrolling', () => {
  test.each([
    ['failed', ['Why', 'What failed first', 'Timeline']],
    ['success', ['Why', 'Timeline']],
    ['killed', ['Why', 'Timeline']],
    ['running', ['Why', 'Timeline']],
    ['retries', ['Why', 'Timeline']],
    ['a damaged stream', ['Why', 'Timeline']],
  ] as const)('%s', async (name, parts) => {
    const { page } = await open(addressOf(name));
    const ends = await endsOf(page);
    const below = parts.filter((part) => !((ends[part] ?? Number.NaN) <= 800));
    expect(below).toEqual([]);
    expect(Object.keys(ends).slice(0, parts.length)).toEqual(parts);
  });

  test('the timeline begins on the first screen even if it is a long one', async () => {
    const { page } = await open(addressOf('fifty processes'));
    const top = await page.evaluate(() => document.getElementById('timeline')?.getBoundingClientRect().top);
    expect(top).toBeLessThan(500);
  });
});

describe('without scripts', () => {
  test('a page says the same', async () => {
    const url = addressOf('retries');
    const { page } = await open(url);
    const { page: without } = await open(url, { javaScript: false });
    const textOf = (shown: Page) => shown.evaluate(() => document.body.textContent);
    expect(await textOf(without)).toBe(await textOf(page));
  });

  test('it unfolds, and its links lead to what they name', async () => {
    const { page } = await open(addressOf('failed'), { javaScript: false });
    const folded = () => page.evaluate(() => document.querySelectorAll('details:not([open])').length);
    const before = await folded();
    await page.locator('summary', { hasText: 'extract' }).first().click();
    expect(await folded()).toBe(before - 1);
    const lost = await page.evaluate(() =>
      [...document.querySelectorAll('a[href^="#"], use[href^="#"]')]
        .map((link) => decodeURIComponent(link.getAttribute('href')?.slice(1) ?? ''))
        .filter((id) => document.getElementById(id) === null),
    );
    expect(lost).toEqual([]);
  });

  test('nothing is offered that does nothing', async () => {
    const { page } = await open(addressOf('failed'), { javaScript: false });
    const offered = await page.locator('input, button').filter({ visible: true }).count();
    expect(offered).toBe(0);
  });
});

describe('with scripts', () => {
  test('processes are found by a part of their name, and lines of logs by what they say', async () => {
    const { page, heard } = await open(addressOf('fifty processes'));
    const processes = page.locator('details.process').filter({ visible: true });
    expect(await processes.count()).toBe(50);
    await page.getByRole('searchbox', { name: 'Filter' }).fill('OC-49');
    await expect.poll(() => processes.count()).toBe(1);
    await page.getByRole('searchbox', { name: 'Filter' }).fill('');
    await expect.poll(() => processes.count()).toBe(50);
    expect(heard.console).toEqual([]);
    const { page: failed } = await open(addressOf('failed'));
    await failed.getByRole('searchbox', { name: 'Search lines' }).fill('OOPS');
    const lines = failed.locator('details.log .l').filter({ visible: true });
    await expect
      .poll(() => lines.allInnerTexts())
      .toEqual([expect.stringMatching(/oops/), expect.stringMatching(/oops/)]);
  });

  test('the data of a page can be saved: they are the document of the task', async () => {
    const report = reportOf('failed');
    const { page, heard } = await open(addressOf('failed'));
    await unfoldAll(page);
    const downloading = page.waitForEvent('download');
    await page.locator('button[data-save]').click();
    const path = join(mkdtempSync(join(tmpdir(), 'saved-')), 'task.json');
    await (await downloading).saveAs(path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(report.task);
    expect(heard.violations).toEqual([]);
  });

  test('a link to a line of a log unfolds it', async () => {
    const url = addressOf('a large log');
    const { page } = await open(url);
    const id = await page.evaluate(() => document.querySelector('details.log .l:nth-of-type(5)')?.id);
    const { page: there } = await open(`${url}#${id}`);
    await expect
      .poll(() => there.evaluate((line) => document.getElementById(line ?? '')?.checkVisibility(), id))
      .toBe(true);
    expect(await there.evaluate(() => scrollY)).toBeGreaterThan(0);
  });

  test('a page of a running task is loaded again and again', async () => {
    const url = saved(taskPage(reportOf('running'), { refresh: 1 }));
    const { page, heard } = await open(url);
    // Just after a load there is time to close it before the next one.
    while (heard.requests.length < 3) await page.waitForEvent('load');
    expect(new Set(heard.requests)).toEqual(new Set([url]));
  });

  test('what was unfolded stays so when such a page is loaded again', async () => {
    const { page } = await open(saved(taskPage(reportOf('running'), { refresh: 3600 })));
    const ids = () =>
      page.evaluate(() => [...document.querySelectorAll('details[id][open]')].map(({ id }) => id));
    const before = await ids();
    await page.evaluate(() => {
      const folded = document.querySelector<HTMLDetailsElement>('details[id]:not([open])');
      if (folded !== null) folded.open = true;
    });
    const unfolded = await ids();
    expect(unfolded).toHaveLength(before.length + 1);
    await page.reload();
    expect(await ids()).toEqual(unfolded);
  });
});

test('a page is printed in full, dark on light', async () => {
  const { page } = await open(addressOf('failed'), { colorScheme: 'dark' });
  await page.emulateMedia({ media: 'print' });
  const seen = await page.evaluate(() => ({
    background: getComputedStyle(document.body).backgroundColor,
    tools: [...document.querySelectorAll<HTMLElement>('.tools')].filter((each) => each.checkVisibility())
      .length,
    runs: [...document.querySelectorAll('details.process')].filter((each) =>
      each.lastElementChild?.checkVisibility({ contentVisibilityAuto: true }),
    ).length,
  }));
  expect(seen).toEqual({
    background: expect.stringMatching(/rgb\(255, 255, 255\)|rgba\(0, 0, 0, 0\)/),
    tools: 0,
    runs: 3,
  });
  expect((await page.pdf()).subarray(0, 5).toString()).toBe('%PDF-');
});

test('a page says which language it has, what it is, and where its parts are', async () => {
  const { page } = await open(addressOf('failed'));
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

test('a page of 500 processes and 10,000 runs can be scrolled', async () => {
  const { page, heard } = await open(saved(taskPage(largeReport())));
  await page.mouse.move(600, 400);
  const scroll = async () => {
    await page.mouse.wheel(0, 4000);
    return page.evaluate(() => scrollY);
  };
  await expect.poll(scroll).toBeGreaterThan(0);
  expect(await overflowOf(page)).toBe(0);
  expect(heard.console).toEqual([]);
});
