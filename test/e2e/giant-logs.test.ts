import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { violations } from '../contracts/validate.js';
import { shell, startThermos, thermos } from './harness.js';
import { LoggedTask } from './logged-task.js';

/** A place where files may be as long as can be: in memory, if there is such a place. */
function placeForGiants(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return mkdtempSync('/dev/shm/thermos-test-');
  } catch {
    return mkdtempSync(join(tmpdir(), 'thermos-test-'));
  }
}

/** Makes a file so long, or as long as the file system takes: 16 TiB on ext4. Returns how long. */
function stretch(path: string, size: bigint): number {
  for (let wanted = size; ; wanted /= 2n) {
    if (spawnSync('truncate', ['-s', String(wanted), path]).status === 0) return statSync(path).size;
  }
}

const place = placeForGiants();
afterAll(() => rmSync(place, { recursive: true, force: true }));
let task: LoggedTask;

beforeEach(() => {
  task = new LoggedTask(mkdtempSync(join(place, 'task-')), [{ name: 'web' }]);
  task.write('web', 0, 'out\n', 'err\n');
  task.start('web');
});
afterEach(() => task.killRunner());

const args = (command: string, ...more: string[]) => [command, '--root', task.root, ...more, task.id];
const parsed = (line: string) => JSON.parse(line) as { line?: string; stream?: string; problem?: object };

describe.each([
  ['8 EiB', 2n ** 63n - 1n],
  ['as long as can be counted', 2n ** 53n - 1n],
  ['16 TiB', 2n ** 44n - 4096n],
])('a log of %s without a newline', (_, wanted) => {
  let size: number;
  let refused: boolean;
  beforeEach(() => {
    task.update('web', 'FAILED').end('FAILED');
    size = stretch(task.log('web', 0, 'stderr'), wanted);
    refused = size > Number.MAX_SAFE_INTEGER;
  });

  test('tail prints the other log, and says what of this one it does not', () => {
    const { stdout, stderr, status } = thermos(args('tail', '--no-follow'));
    expect({ stderr, status }).toEqual({
      stderr: expect.stringMatching(
        refused ? /^error: \S+\/stderr has a size of 9\d{18} bytes/ : /^warning: \S+ has a line .* too long/,
      ),
      status: refused ? 5 : 0,
    });
    expect(stdout).toMatch(/^web 0 stdout \| out$/m);
    expect(stdout.length).toBeLessThan(10_000_000);
  });

  test('tail --json', () => {
    const { stdout, status } = thermos(args('tail', '--no-follow', '--json'));
    expect(status).toBe(refused ? 5 : 0);
    const lines = stdout.trimEnd().split('\n').map(parsed);
    expect(lines).toContainEqual(expect.objectContaining({ stream: 'stdout', line: 'out' }));
    const code = refused ? 'log-too-large' : 'log-line-cut';
    expect(lines).toContainEqual({ problem: expect.objectContaining({ code }) });
  });

  test('all of it goes on for as long as somebody reads', () => {
    const line = `thermos tail --no-follow --lines all --stderr --root '${task.root}' ${task.id} | head -c 9 | wc -c`;
    expect(shell(line).stdout.trim()).toBe(refused ? '0' : '9');
  });

  test('inspect, doctor and status answer', () => {
    for (const [command, status] of [
      ['inspect', refused ? 5 : 0],
      ['doctor', 1],
      ['status', 0],
    ] as const) {
      const human = thermos(args(command));
      expect([command, human.status]).toEqual([command, status]);
      const json = thermos(args(command, '--json'));
      expect([command, json.status]).toEqual([command, status]);
      expect(violations(command, JSON.parse(json.stdout))).toEqual([]);
    }
    const paths = thermos(args('tail', '--path'));
    expect(paths.stdout.trim().split('\n')).toHaveLength(refused ? 1 : 2);
  });
});

test('who follows a log that becomes endless can still be stopped', async () => {
  await task.run();
  const tail = startThermos(args('tail', '--follow'));
  const ended = once(tail, 'close');
  await once(tail.stdout as NodeJS.ReadableStream, 'data');
  tail.stdout?.resume();
  tail.stderr?.resume();
  stretch(task.log('web', 0), 2n ** 63n - 1n);
  let bytes = 0;
  await new Promise<void>((resolve) => {
    tail.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > 40_000_000) resolve();
    });
  });
  tail.kill('SIGTERM');
  expect((await ended)[0]).toBe(143);
});
