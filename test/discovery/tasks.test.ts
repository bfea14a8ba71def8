import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { discover } from '../../src/discovery/discover.js';
import type { TaskRoot } from '../../src/discovery/found.js';
import { listTasks } from '../../src/discovery/tasks.js';
import { FIXTURES, tempDir } from '../e2e/harness.js';
import { makeRoot, makeTaskRun, optionsIn, type Tasks } from './trees.js';

const calls: string[] = [];
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const counted = Object.fromEntries(
    (['opendirSync', 'readdirSync', 'statSync', 'lstatSync'] as const).map((name) => [
      name,
      (...args: unknown[]) => {
        calls.push(`${name} ${args[0]}`);
        return (fs[name] as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { ...fs, ...counted };
});

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => remove());

const rootAt = (path: string): TaskRoot => ({ path, layout: 'host', source: 'test', readable: true });
const root = (tasks: Tasks) => rootAt(makeRoot(join(dir, 'root'), tasks));
/** By id: phase, whether there is a task file, the problems. */
const listed = (at: TaskRoot) => {
  const { tasks, problems } = listTasks(at);
  return {
    tasks: tasks
      .map((task) => [
        task.task_id,
        task.phase,
        task.task_file?.slice(at.path.length) ?? '-',
        ...task.problems.map(({ code, severity }) => `${severity} ${code}`),
      ])
      .sort(),
    problems: problems.map(({ code, severity }) => `${severity} ${code}`),
  };
};
const fixture = (name: string) => listed(rootAt(join(FIXTURES, 'checkpoints', name, 'root')));

describe('what is a task', () => {
  test('task files with their checkpoints', () => {
    const at = root({ active: ['a'], finished: ['b'] });
    expect(listTasks(at).tasks).toContainEqual({
      task_id: 'a',
      root: at,
      phase: 'active',
      task_file: `${at.path}/tasks/active/a`,
      checkpoint_dir: `${at.path}/checkpoints/a`,
      problems: [],
    });
    expect(listed(at)).toEqual({
      tasks: [
        ['a', 'active', '/tasks/active/a'],
        ['b', 'finished', '/tasks/finished/b'],
      ],
      problems: [],
    });
  });

  test('a file in both phases is one finished task', () => {
    expect(fixture('damaged-fs-active-and-finished')).toEqual({
      tasks: [['hello-1', 'finished', '/tasks/finished/hello-1', 'warning task-file-twice']],
      problems: [],
    });
  });

  test('a checkpoint without a task file', () => {
    expect(fixture('damaged-fs-task-file-gone')).toEqual({
      tasks: [['hello-1', 'active', '-', 'warning task-file-missing']],
      problems: [],
    });
  });

  test('a task file without a checkpoint', () => {
    expect(fixture('damaged-fs-checkpoint-gone')).toEqual({
      tasks: [['hello-1', 'finished', '/tasks/finished/hello-1', 'error checkpoint-missing']],
      problems: [],
    });
  });

  test('dot files, directories and unknown states are none; a blank in the name does no harm', () => {
    const at = root({
      active: ['.hidden'],
      finished: ['hello-1', 'with blank'],
      checkpoints: ['hello-1', '.x'],
    });
    mkdirSync(join(at.path, 'tasks/active/subdir'));
    mkdirSync(join(at.path, 'tasks/pending'));
    writeFileSync(join(at.path, 'tasks/pending/hello-2'), '');
    writeFileSync(join(at.path, 'tasks/stray-file'), '');
    writeFileSync(join(at.path, 'checkpoints/stray-file'), '');
    expect(listed(at)).toEqual({
      tasks: [
        ['hello-1', 'finished', '/tasks/finished/hello-1'],
        ['with blank', 'finished', '/tasks/finished/with blank', 'error checkpoint-missing'],
      ],
      problems: [],
    });
  });

  test('any name, in both places', () => {
    const names = [
      'a b',
      '100%',
      'q[1]',
      'x:y',
      'ünï',
      'new\nline',
      '\u001b[31m',
      '__proto__',
      'constructor',
      '*',
    ];
    const { tasks, problems } = listTasks(root({ finished: names }));
    expect(tasks.map(({ task_id }) => task_id).sort()).toEqual([...names].sort());
    expect([problems, ...tasks.map((task) => task.problems)].flat()).toEqual([]);
  });

  test('links to task files and checkpoint directories count, broken ones are reported', () => {
    const at = root({ active: ['a'] });
    writeFileSync(join(dir, 'elsewhere'), '{}');
    symlinkSync(join(dir, 'elsewhere'), join(at.path, 'tasks/active/link'));
    symlinkSync('a', join(at.path, 'checkpoints/link'));
    symlinkSync('nowhere', join(at.path, 'tasks/active/dangling'));
    symlinkSync('loop', join(at.path, 'tasks/active/loop'));
    symlinkSync(dir, join(at.path, 'tasks/active/directory'));
    symlinkSync('loop', join(at.path, 'checkpoints/loop'));
    expect(listed(at)).toEqual({
      tasks: [
        ['a', 'active', '/tasks/active/a'],
        ['link', 'active', '/tasks/active/link'],
      ],
      problems: ['warning task-file-unreadable', 'warning task-file-unreadable'],
    });
  });

  test('a root of which parts are missing', () => {
    const at = root({ active: ['a'], finished: ['b'] });
    rmSync(join(at.path, 'tasks/active'), { recursive: true });
    expect(listed(at).tasks).toEqual([
      ['a', 'active', '-', 'warning task-file-missing'],
      ['b', 'finished', '/tasks/finished/b'],
    ]);
    rmSync(at.path, { recursive: true });
    expect(listed(at)).toEqual({ tasks: [], problems: [] });
    expect(at.readable).toBe(true);
  });

  test('a file where a directory should be: nothing is said to be missing that was not looked for', () => {
    const at = root({ finished: ['b'] });
    rmSync(join(at.path, 'checkpoints'), { recursive: true });
    writeFileSync(join(at.path, 'checkpoints'), '');
    expect(listed(at)).toEqual({
      tasks: [['b', 'finished', '/tasks/finished/b']],
      problems: ['error root-unreadable'],
    });
  });
});

test('a sandbox that cannot be entered still gives its task by the name of the executor', () => {
  const mesos = { agent_id: 'S', framework_id: 'F', executor_id: 'thermos-role-prod-x-0', container_id: 'c' };
  const closed: TaskRoot = { path: '/r/checkpoints', layout: 'mesos', source: 'x', readable: false, mesos };
  expect(listTasks(closed)).toEqual({
    tasks: [
      {
        task_id: 'role-prod-x-0',
        root: closed,
        phase: 'active',
        checkpoint_dir: '/r/checkpoints/checkpoints/role-prod-x-0',
        unreadable: true,
        problems: [],
      },
    ],
    problems: [],
  });
  for (const executor_id of ['default', 'thermos-', 'xthermos-a']) {
    expect(listTasks({ ...closed, mesos: { ...mesos, executor_id } }).tasks).toEqual([]);
  }
});

test('thousands of tasks take three listings and nothing else', () => {
  const ids = Array.from({ length: 2000 }, (_, i) => `task-${i}`);
  const at = root({ active: ids.slice(0, 100), finished: ids.slice(100) });
  calls.length = 0;
  expect(listTasks(at).tasks).toHaveLength(2000);
  expect(calls.map((call) => call.split(' ')[0])).toEqual(['opendirSync', 'opendirSync', 'opendirSync']);
});

test('all roots: active before finished, then by id, then by root', () => {
  const b = makeRoot(join(dir, 'b'), { active: ['y', 'x'], finished: ['a'] });
  const a = makeRoot(join(dir, 'a'), { active: ['x'], finished: ['B', 'b'] });
  const run = makeTaskRun(join(dir, 'm'), 'c', 'c1');
  const { tasks, roots, problems } = discover(optionsIn(dir, { flags: { root: [b, a, join(dir, 'm')] } }));
  expect(roots.map(({ path }) => path)).toEqual([b, a, run]);
  expect(problems).toEqual([]);
  expect(tasks.map(({ task_id, phase, root: { path } }) => [phase, task_id, path])).toEqual([
    ['active', 'x', a],
    ['active', 'x', b],
    ['active', 'y', b],
    ['finished', 'B', a],
    ['finished', 'a', b],
    ['finished', 'b', a],
    ['finished', 'c', run],
  ]);
});
