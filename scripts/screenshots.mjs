// Makes the pictures of README.md: docs/report.png, the page of a task that failed, and docs/report-list.png, the list of
// tasks on a small dark screen. `npm run build` comes first; Chromium makes them, and pngquant makes them smaller (Debian:
// apt-get install chromium pngquant).

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const CHROMIUM = process.env.THERMOS_TEST_CHROMIUM || '/usr/bin/chromium';

const directory = mkdtempSync(join(tmpdir(), 'thermos-screenshots-'));
try {
  const { failed, list } = writePages();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  await picture(browser, failed, 'report.png', {
    width: 1280,
    colorScheme: 'light',
    upTo: '.timeline',
    margin: 14,
  });
  await picture(browser, list, 'report-list.png', {
    width: 1000,
    colorScheme: 'dark',
    upTo: 'tbody tr:nth-child(8)',
    margin: 0,
  });
  await browser.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Runs a task that fails, and writes pages of it and of the fixtures' tasks. */
function writePages() {
  const root = join(directory, 'root');
  const thermos = (...words) =>
    spawnSync(process.execPath, [join(ROOT, 'bin/run.js'), ...words], { encoding: 'utf8' });
  thermos(
    'run',

    '--root',
    root,
    '--task-id',
    'release-42',
    join(ROOT, 'fixtures/examples/release.thermos'),
  );
  const trees = [
    '--root',
    root,
    '--root',
    join(ROOT, 'fixtures/host/root'),
    '--mesos-root',
    join(ROOT, 'fixtures/mesos'),
  ];
  const { stdout } = thermos('report', '--json', '--out', join(directory, 'out'), ...trees);
  const { pages, index } = JSON.parse(stdout);
  return { failed: pages.find(({ task_id }) => task_id === 'release-42').path, list: index };
}

/** From the top of a page to the end of its first element that matches `upTo`, and a margin below it. */
async function picture(browser, path, name, { width, colorScheme, upTo, margin }) {
  const page = await browser.newPage({ viewport: { width, height: 1000 }, colorScheme });
  await page.goto(pathToFileURL(path).href);
  const { y, height } = await page.locator(upTo).first().boundingBox();
  const image = await page.screenshot({
    clip: { x: 0, y: 0, width, height: Math.ceil(y + height + margin) },
  });
  const smaller = execFileSync('pngquant', ['--strip', '--speed', '1', '64', '-'], { input: image });
  writeFileSync(join(ROOT, 'docs', name), smaller);
  await page.close();
}
