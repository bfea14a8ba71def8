import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskReport } from '../../src/report/model.js';
import { closePagesAfterEach, open } from './browser.js';
import { reportOf, taskPage } from './reports.js';

closePagesAfterEach();

let directory: string;
let report: TaskReport;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'pages-'));
  const original = reportOf('success');
  const excerpts = original.excerpts.map((excerpt) =>
    excerpt.stream === 'stdout'
      ? { ...excerpt, first: ['begins', `${excerpt.process} Works`, 'ends'] }
      : excerpt,
  );
  report = { ...original, excerpts };
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The address of the page of the report. */
function saved(refresh?: number): string {
  const path = join(directory, `${refresh ?? 'page'}.html`);
  writeFileSync(path, taskPage(report, { refresh }));
  return pathToFileURL(path).href;
}

/** The texts that a person sees of what the selector names. */
function seen(page: Page, selector: string): Promise<string[]> {
  return page
    .locator(selector)
    .filter({ visible: true })
    .evaluateAll((all) => all.map((each) => (each as HTMLElement).innerText.trim()));
}

test('typing shows the lines that have the text, in the logs that have them', async () => {
  const { page } = await open(saved());
  expect(await seen(page, '.l')).toEqual([]);
  await page.getByLabel('Search lines').fill('LEFT works');
  expect(await seen(page, '.l')).toEqual([expect.stringMatching(/^2\s*left Works$/)]);
  expect(await seen(page, 'details.log .log-name')).toEqual(['left']);
  expect(await seen(page, '.logs output')).toEqual(['1 line']);
  await page.getByLabel('Search lines').fill('');
  expect(await seen(page, '.l')).toEqual([]);
  expect(await seen(page, 'details.log .log-name')).toHaveLength(report.task.logs.length);
});

test('typing shows the processes whose names or states have the text', async () => {
  const { page } = await open(saved());
  await page.getByLabel('Filter').fill('bott');
  expect(await seen(page, '.process-name')).toEqual(['bottom']);
  await page.getByLabel('Filter').fill('success');
  expect(await seen(page, '.process-name')).toHaveLength(report.task.processes.length);
  expect(await seen(page, '.processes output')).toEqual(['4 processes']);
});

test('a link to a line of a log unfolds the log', async () => {
  const index = report.task.logs.findIndex(
    ({ process, stream }) => process === 'right' && stream === 'stdout',
  );
  const { page } = await open(`${saved()}#g${index}-2`);
  expect(await seen(page, '.l')).toHaveLength(3);
  expect(await seen(page, '.l:target')).toEqual([expect.stringMatching(/^2\s*right Works$/)]);
});

test('a node of the order leads to its process', async () => {
  const { page } = await open(saved());
  await page.locator('.graph a', { hasText: 'bottom' }).click();
  await page.locator('.process[open] .command').waitFor();
  expect(await seen(page, '.process[open] .process-name')).toEqual(['bottom']);
});

test('the data can be saved', async () => {
  const { page } = await open(saved());
  await page.getByText('Data of this page as JSON').click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save' }).click(),
  ]);
  const path = join(directory, 'saved.json');
  await download.saveAs(path);
  expect(download.suggestedFilename()).toBe(`${report.task.task_id}.json`);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(report.task);
});

test('what is unfolded stays so when the page of a task that runs is loaded again', async () => {
  const { page } = await open(saved(3600));
  await page.locator('.process summary', { hasText: 'left' }).click();
  await page.reload();
  expect(await seen(page, '.process[open] .process-name')).toEqual(['left']);
});
