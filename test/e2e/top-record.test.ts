import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TopDocument } from '../../src/contracts/top.js';
import { Records, writeTask } from '../task/trees.js';
import { shell } from './harness.js';
import { RunPlace } from './run-task.js';
import { screenPlace, startScreen } from './screen.js';
import { expectContract } from './tasks.js';

let place: RunPlace;
let file: string;
beforeEach(() => {
  place = new RunPlace();
  file = join(place.path, 'top.ndjson');
});
afterEach(() => place.remove());

const linesOf = (path: string): TopDocument[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
/** There is none while a full file has just got another name. */
function recorded(): TopDocument[] {
  try {
    return linesOf(file);
  } catch {
    return [];
  }
}

function run(id: string): void {
  const config = place.config([{ name: 'p', cmdline: 'sleep 1000' }], {
    resources: { cpu: 0.5, ram: 2 ** 20, disk: 2 ** 30 },
  });
  expect(place.thermos('run', config, '--daemon', '--task-id', id)).toMatchObject({ status: 0 });
}

test('samples are appended as --json prints them, to a file for this user alone', () => {
  run('t');
  const args = ['--interval', '0.1', '--count', '2', '--json', '--record', file];
  const { stdout, stderr, status } = place.thermos('top', ...args);
  expect([stderr, status]).toEqual(['', 0]);
  expect(readFileSync(file, 'utf8')).toBe(stdout);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  for (const document of recorded()) expectContract('top', document);
  expect(place.thermos('top', '--interval', '0.1', '--once', '--record', file).stdout).toMatch(/^TASK /);
  expect(recorded()).toHaveLength(3);
});

test('on a pipe it records until a signal, and prints nothing; a full file gets another name', async () => {
  run('t');
  const top = place.start('top', '--interval', '0.1', '--record', file, '--record-size', '1K');
  await top.until(() => existsSync(`${file}.1`) && recorded().length > 0);
  expect(await top.kill('SIGTERM')).toBe(143);
  expect([top.stdout, top.stderr]).toEqual(['', '']);
  for (const path of [file, `${file}.1`]) {
    expect(statSync(path).size).toBeLessThanOrEqual(1024);
    expect(linesOf(path).every(({ interval_ms }) => interval_ms > 0)).toBe(true);
  }
});

test('a file that cannot be one is refused at once, and left as it is', () => {
  writeFileSync(file, 'notes\n');
  const refused = place.thermos('top', '--record', file, '--json');
  expect(refused.status).toBe(5);
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'record-unwritable' } });
  expect(readFileSync(file, 'utf8')).toBe('notes\n');
  const missing = place.thermos('top', '--record', join(place.path, 'none/f'));
  expect([missing.status, missing.stderr]).toEqual([
    5,
    expect.stringContaining(`error: cannot record in ${place.path}/none/f: `),
  ]);
  for (const size of ['7', 'many'])
    expect(place.thermos('top', '--record', file, '--record-size', size).status).toBe(2);
  expect(place.thermos('top', '--record-size', '1M').status).toBe(2);
});

test('on a full disk, that is said once, no half line is left, and samples are shown still', () => {
  writeTask(place.root, 't');
  // A file that becomes too long fails like one on a full disk.
  const line = `trap '' XFSZ; ulimit -f 1; thermos top --root '${place.root}' --interval 0.1 --count 8 --record '${file}'`;
  const { stdout, stderr, status } = shell(line);
  expect(status).toBe(5);
  expect(stdout.match(/^TASK /gm)).toHaveLength(8);
  expect(stderr.match(/^error: cannot record in .*: .*; samples are missing from it$/gm)).toHaveLength(1);
  const { length } = recorded();
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(8);
});

test('report shows what was recorded, in page, text and --json', async () => {
  run('t');
  const top = place.start('top', '--interval', '0.1', '--record', file);
  await top.until(() => recorded().length >= 3);
  await top.kill('SIGTERM');
  writeFileSync(file, 'junk\n', { flag: 'a' });
  const out = join(place.path, 'out');
  const { stdout, stderr, status } = place.thermos('report', '--usage', file, '--out', out, '--json', 't');
  expect(status).toBe(0);
  expect(stderr).toContain('warning: a line of the record is left out');
  const document = JSON.parse(stdout);
  expectContract('report', document);
  expect(document.pages[0].resources_seen).toMatchObject({
    samples: recordedBeforeJunk(),
    cpu_asked: 0.5,
    ram_asked_bytes: 2 ** 20,
    rss_max_bytes: expect.any(Number),
    processes: [{ process: 'p', cpu_max: expect.any(Number) }],
  });
  const read = (name: string) => readFileSync(join(out, 'task/t', name), 'utf8');
  expect(read('report.txt')).toMatch(
    /^RESOURCES SEEN\n.*\n {2}asked for: CPU 0\.50, memory 1MiB, disk 1GiB\n/m,
  );
  expect(read('index.html')).toContain('<h2 id="usage">Resources used</h2>');
  expect(read('index.html')).toContain('<path class="used" d="M0 ');

  writeTask(place.root, 'other', { phase: 'finished', runner: new Records().status('SUCCESS') });
  const other = place.thermos('report', '--usage', file, '--out', out, 'other');
  expect(other.stderr).toContain(`the record ${file} has no sample of these tasks`);
  expect(readFileSync(join(out, 'task/other/index.html'), 'utf8')).not.toContain('Resources used');
  const none = place.thermos('report', '--usage', join(place.path, 'none'), '--out', out, 't');
  expect([none.status, none.stderr]).toEqual([5, expect.stringContaining('error: cannot read the record ')]);
});

function recordedBeforeJunk(): number {
  return readFileSync(file, 'utf8').split('\n').length - 2;
}

const screens = screenPlace();

test('a screen records too, whatever it shows, and says what is wrong on it', async () => {
  writeTask(screens.root, 'alpha');
  mkdirSync(place.path, { recursive: true });
  const screen = startScreen(['top', '--interval', '0.2', '--root', screens.root, '--record', file]);
  await screen.until(/^› alpha /);
  screen.type('/nothing\r');
  await screen.until(({ lines }) => !lines.some((line) => /^› alpha /.test(line)) && recorded().length >= 2);
  expect(recorded().at(-1)?.tasks).toMatchObject([{ task_id: 'alpha' }]);
  writeFileSync(file, 'somebody wrote here\n');
  await screen.until('holds something else');
  screen.type('q');
  expect(await screen.ended).toBe(0);
});
