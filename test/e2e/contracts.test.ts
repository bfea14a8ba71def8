import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openViolations, violations } from '../contracts/validate.js';
import { FIXTURES, thermos } from './harness.js';

/** Every tree of the fixtures, sound and damaged, on both layouts. */
const CASES = readdirSync(join(FIXTURES, 'checkpoints'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => join(FIXTURES, 'checkpoints', name));
const ROOTS = [
  ...[join(FIXTURES, 'host'), ...CASES]
    .map((path) => join(path, 'root'))
    .flatMap((path) => given('--root', path)),
  ...[FIXTURES, ...CASES].map((path) => join(path, 'mesos')).flatMap((path) => given('--mesos-root', path)),
];

function given(flag: string, path: string): string[] {
  return existsSync(path) ? [flag, path] : [];
}

function documentOf(argv: readonly string[]) {
  const { stdout, status } = thermos([...argv, '--json', ...ROOTS]);
  expect([0, 5]).toContain(status);
  expect(stdout.endsWith('\n')).toBe(true);
  expect(stdout.trimEnd()).not.toContain('\n');
  return JSON.parse(stdout);
}

const status = documentOf(['status']);

test('the fixtures are not a few', () => {
  expect(status.tasks.length).toBeGreaterThan(50);
});

test('status', () => {
  expect(violations('status', status)).toEqual([]);
});

test('roots', () => {
  const roots = documentOf(['roots']);
  expect(violations('roots', roots)).toEqual([]);
  expect(roots.roots.length).toBe(status.roots.length);
});

describe('of one task', () => {
  const here = (path: string) =>
    path.startsWith(join(FIXTURES, 'host')) || path.startsWith(join(FIXTURES, 'mesos'));
  const tasks: { task_id: string; root: string }[] = status.tasks;

  test.each(tasks.filter(({ root }) => here(root)))('inspect $task_id', ({ task_id, root }) => {
    const { stdout } = thermos(['inspect', '--json', '--root', root, task_id]);
    const document = JSON.parse(stdout);
    expect(violations('inspect', document)).toEqual([]);
    expect(document).toMatchObject({ task_id, root });
  });

  test('tail of all of them', () => {
    let lines = 0;
    for (const { task_id, root } of tasks.filter(({ root }) => here(root))) {
      const { stdout } = thermos(['tail', '--json', '--no-follow', '--lines', '3', '--root', root, task_id]);
      if (stdout.startsWith('{"error":')) {
        expect(violations('error', JSON.parse(stdout))).toEqual([]);
        continue;
      }
      for (const line of stdout.split('\n').slice(0, -1)) {
        expect(violations('tail', JSON.parse(line))).toEqual([]);
        lines++;
      }
    }
    expect(lines).toBeGreaterThan(20);
  });

  // What a stream may hold that JSON has no words for, and streams of which little can be read.
  test.each(CASES.filter((path) => /nan|state|control|empty|frame|i64|utf|header/.test(path)))(
    'read %s',
    (path) => {
      for (const { task_id, root } of tasks.filter((task) => task.root.startsWith(`${path}/`))) {
        const runner = join(root, 'checkpoints', task_id, 'runner');
        if (!existsSync(runner)) continue;
        expect(violations('read', JSON.parse(thermos(['read', '--json', runner]).stdout))).toEqual([]);
        const lines = thermos(['read', '--records', '--json', runner]).stdout.split('\n');
        expect(lines.pop()).toBe('');
        for (const line of lines) expect(violations('record', JSON.parse(line))).toEqual([]);
      }
    },
  );
});

describe('what fails', () => {
  test.each([
    [['inspect', 'no-such-task'], 1],
    [['status', 'no-such-task'], 1],
    [['tail', 'no-such-task'], 1],
    [['read', '/nonesuch/runner'], 1],
    [['read'], 2],
    [['status', '['], 2],
    [['status', '--bogus'], 2],
  ])('%j is an error document, with the exit code of the text', (argv, exitCode) => {
    const root = ['--root', join(FIXTURES, 'host', 'root')];
    const { stdout, status: jsonStatus } = thermos([...argv, ...root, '--json']);
    const document = JSON.parse(stdout);
    expect(openViolations('error', document)).toEqual([]);
    const text = thermos([...argv, ...root]);
    expect(text.stdout).toBe('');
    expect(text.stderr).toContain(document.error.message.slice(0, 20));
    expect({ jsonStatus, textStatus: text.status }).toEqual({ jsonStatus: exitCode, textStatus: exitCode });
  });
});
