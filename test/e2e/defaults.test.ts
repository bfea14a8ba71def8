import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeTask } from '../task/trees.js';
import { placeForEach, thermos } from './harness.js';

const temp = placeForEach();
let config: string;
beforeEach(() => {
  config = join(temp.path, 'xdg/thermos/config.json');
  mkdirSync(join(temp.path, 'xdg/thermos'), { recursive: true });
  writeTask(temp.root, 'here');
});

const write = (json: unknown) =>
  writeFileSync(config, typeof json === 'string' ? json : JSON.stringify(json), { mode: 0o644 });

/** With the file of THERMOS_CONFIG, so that those of this host do not count; and without roots in the environment. */
const run = (args: string[], env: Record<string, string> = {}) =>
  thermos(args, { env: { THERMOS_ROOT: '', THERMOS_CONFIG: config, ...env } });

test('roots are searched instead of the default ones; the environment and flags win', () => {
  write({ roots: [temp.root] });
  expect(run(['status', '--quiet'])).toMatchObject({ stdout: 'here\n', stderr: '', status: 0 });
  const { roots } = JSON.parse(run(['roots', '--json']).stdout);
  expect(roots).toEqual([{ path: temp.root, layout: 'host', source: config, tasks: 1, readable: true }]);
  const other = join(temp.path, 'other');
  writeTask(other, 'there');
  expect(run(['status', '-q'], { THERMOS_ROOT: other }).stdout).toBe('there\n');
  expect(run(['status', '-q', '--root', other]).stdout).toBe('there\n');
  expect(run(['__complete', 'zsh', 'tail', '']).stdout).toBe('here\n');
});

test('run uses the first of them', () => {
  write({ roots: [temp.root, join(temp.path, 'other')] });
  const { status } = run(['simplerun', '--task-id', 'new', '--', 'true']);
  expect(status).toBe(0);
  expect(run(['status', '-q', '--only', 'finished']).stdout).toBe('new\n');
});

test('limits of gc count where no task is named, and each flag wins over its own', () => {
  write({ roots: [temp.root], gc: { max_tasks: 1 } });
  for (const id of ['a', 'b', 'c'])
    expect(run(['simplerun', '--root', temp.root, '--task-id', id, '--', 'true']).status).toBe(0);
  const collected = (...words: string[]) =>
    JSON.parse(run(['gc', '--dry-run', '--json', '--no-orphans', ...words]).stdout).tasks.length;
  expect(collected()).toBe(2);
  expect(collected('--max-tasks', '2')).toBe(1);
  expect(collected('a', 'b', 'c')).toBe(3);
});

test('an unknown key and a wrong value: exit 2 with file, line and key, as JSON too; help works', () => {
  write('{\n  "roots": ["/a"],\n  "gc": {"max_ages": "2d"}\n}');
  expect(run(['status'])).toMatchObject({
    stdout: '',
    stderr: `error: ${config}:3: unknown key gc.max_ages\nhint: did you mean max_age?\n`,
    status: 2,
  });
  const { stdout, status } = run(['status', '--json']);
  expect([status, JSON.parse(stdout).error.code]).toEqual([2, 'defaults-invalid']);
  expect(run(['help', 'config'])).toMatchObject({ stderr: '', status: 0 });
  expect(run(['version'])).toMatchObject({ stderr: '', status: 0 });
  expect(run(['__complete', 'zsh', 'tail', ''])).toMatchObject({ stdout: '', stderr: '', status: 0 });
});

test('a file that others may have written is not used: a warning on stderr, and a problem of every document', () => {
  write({ roots: ['/none'] });
  chmodSync(config, 0o666);
  const commands = [
    ['status'],
    ['status', '--sort', 'id'],
    ['roots'],
    ['inspect', 'here'],
    ['kill', '--dry-run', 'here'],
    ['gc', '--dry-run', '--no-orphans'],
    ['simplerun', '--task-id', 'new', '--', 'true'],
  ];
  for (const [name, ...words] of commands) {
    const { stdout, stderr } = run([name as string, '--root', temp.root, '--json', ...words]);
    expect([name, stderr.match(/warning: the defaults in .* are not used/g)]).toEqual([
      name,
      [expect.anything()],
    ]);
    const codes = JSON.parse(stdout).problems.map(({ code }: { code: string }) => code);
    expect([name, codes.filter((code: string) => code === 'defaults-ignored')]).toEqual([
      name,
      ['defaults-ignored'],
    ]);
  }
});
