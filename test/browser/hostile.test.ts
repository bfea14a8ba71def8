import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { closePagesAfterEach, open, settle, silent } from './browser.js';
import { HOSTILE, hostileList, hostileReport, UNSEEN } from './hostile.js';
import { expectToFit, unfoldAll } from './looks.js';
import { listPage, saved, taskPage } from './reports.js';
import { strangersOn } from './strangers.js';

closePagesAfterEach();

const MOST_BYTES = 2 * 1024 * 1024;

/** Texts without characters that are shown escaped. */
const PLAIN = HOSTILE.slice(0, 14);

function textOf(page: Page): Promise<string> {
  return page.evaluate(() => document.body.innerText);
}

test('the page of a task whose every text is hostile shows them, and does nothing that they say', async () => {
  const url = saved(taskPage(hostileReport()));
  const { page, heard } = await open(url);
  await unfoldAll(page);
  await page.mouse.move(200, 200);
  expect(await strangersOn(page, /^https:\/\/(?:master|agent)\.example\//)).toEqual([]);
  const text = await textOf(page);
  expect(text.match(UNSEEN)).toBeNull();
  for (const shown of PLAIN) expect(text).toContain(shown);
  await expectToFit(page);
  await settle(page);
  expect(heard).toEqual(silent(url));
});

test('it is not larger than a page may be', () => {
  expect(Buffer.byteLength(taskPage(hostileReport()))).toBeLessThanOrEqual(MOST_BYTES);
});

test('so does a list of tasks whose every text is hostile', async () => {
  const url = saved(listPage(hostileList()));
  const { page, heard } = await open(url);
  expect(await strangersOn(page, /^task\//)).toEqual([]);
  const text = await textOf(page);
  expect(text.match(UNSEEN)).toBeNull();
  for (const shown of PLAIN) expect(text).toContain(shown);
  await page.getByRole('searchbox').fill('<img');
  await expectToFit(page);
  await settle(page);
  expect(heard).toEqual(silent(url));
});
