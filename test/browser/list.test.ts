import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { barriersIn } from './axe.js';
import { closePagesAfterEach, open, settle, silent } from './browser.js';
import { expectToFit, LOOKS } from './looks.js';
import { writtenPages } from './reports.js';

closePagesAfterEach();

const address = () => pathToFileURL(writtenPages().index).href;

/** The cells of a column, from the top, of the rows that are shown. */
function column(page: Page, title: string): Promise<string[]> {
  return page.evaluate((wanted) => {
    const heads = [...document.querySelectorAll('#tasks thead th')];
    const index = heads.findIndex((head) => head.textContent?.trim() === wanted);
    return [...document.querySelectorAll<HTMLTableRowElement>('#tasks tbody tr')]
      .filter((row) => row.checkVisibility())
      .map((row) => row.cells[index]?.innerText.trim() ?? '');
  }, title);
}

test('the list of tasks loads nothing, breaks no rule of its own and fits on every screen', async () => {
  const { page, heard } = await open(address());
  await expectToFit(page);
  await settle(page);
  expect(heard).toEqual(silent(address()));
});

test.each(LOOKS)('everybody can use it: $width pixels wide, $colorScheme', async (look) => {
  const { page } = await open(address(), look);
  expect(await barriersIn(page)).toEqual([]);
});

test('each task has a row, failures come first, and links lead to their pages', async () => {
  const { pages } = writtenPages();
  const { page } = await open(address(), { javaScript: false });
  expect((await column(page, 'Task')).toSorted()).toEqual(pages.map(({ task_id }) => task_id).toSorted());
  const states = await column(page, 'State');
  expect(states[0]).toBe('FAILED');
  expect(states.at(-1)).toBe('SUCCESS');
  const links = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLAnchorElement>('#tasks a')].map((link) => link.href),
  );
  expect(links.map((link) => fileURLToPath(link)).toSorted()).toEqual(
    pages.map(({ path }) => path).toSorted(),
  );
  const first = page.locator('#tasks a').first();
  const name = await first.innerText();
  await first.click();
  await expect.poll(() => page.title()).toContain(name);
  expect(dirname(dirname(fileURLToPath(page.url())))).toBe(join(dirname(writtenPages().index), 'task'));
});

describe('with scripts', () => {
  test('words that a task has find it, and stay in the address', async () => {
    const { page, heard } = await open(address());
    const all = await column(page, 'Task');
    const field = page.getByRole('searchbox', { name: 'Search' });
    await field.fill('www-data FAILED etl');
    await expect.poll(() => column(page, 'Task')).toEqual([expect.stringMatching(/^www-data-devel-etl-3/)]);
    await page.reload();
    expect(await column(page, 'Task')).toHaveLength(1);
    await field.fill('');
    await expect.poll(() => column(page, 'Task')).toEqual(all);
    expect(heard.console).toEqual([]);
  });

  test('a title sorts its column, backwards if it is pressed again, and not any more after that', async () => {
    const { page } = await open(address());
    const given = await column(page, 'Task');
    const sorted = given.toSorted((a, b) => (a < b ? -1 : 1));
    const title = page.getByRole('columnheader', { name: 'Task' });
    const press = () => page.getByRole('button', { name: 'Task' }).click();
    await press();
    await expect.poll(() => column(page, 'Task')).toEqual(sorted);
    expect(await title.getAttribute('aria-sort')).toBe('ascending');
    await press();
    await expect.poll(() => column(page, 'Task')).toEqual(sorted.toReversed());
    expect(await title.getAttribute('aria-sort')).toBe('descending');
    await press();
    await expect.poll(() => column(page, 'Task')).toEqual(given);
    expect(await title.getAttribute('aria-sort')).toBeNull();
  });
});
