import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FoundTask, TaskRoot } from '../../src/discovery/found.js';
import { type DirectoryNames, joinTasks, type RootNames } from '../../src/discovery/join.js';

const ROOT: TaskRoot = { path: '/r', layout: 'host', source: 'test', readable: true };

const names = (...all: string[]): DirectoryNames => ({ names: new Set(all), known: true });
const UNKNOWN: DirectoryNames = { names: new Set(), known: false };
const joined = (lists: Partial<RootNames>): FoundTask[] =>
  joinTasks(ROOT, { active: names(), finished: names(), checkpoints: names(), ...lists });
const codes = (task: FoundTask | undefined) => task?.problems.map(({ code }) => code);

describe('a task', () => {
  test('with a task file and a checkpoint directory', () => {
    expect(joined({ active: names('a'), finished: names('b'), checkpoints: names('a', 'b') })).toEqual([
      {
        task_id: 'b',
        root: ROOT,
        phase: 'finished',
        task_file: '/r/tasks/finished/b',
        checkpoint_dir: '/r/checkpoints/b',
        problems: [],
      },
      {
        task_id: 'a',
        root: ROOT,
        phase: 'active',
        task_file: '/r/tasks/active/a',
        checkpoint_dir: '/r/checkpoints/a',
        problems: [],
      },
    ]);
  });

  test('with two task files and no checkpoint directory is a finished one with two problems', () => {
    const [task, ...others] = joined({ active: names('a'), finished: names('a') });
    expect(others).toEqual([]);
    expect(task).toMatchObject({ phase: 'finished', task_file: '/r/tasks/finished/a' });
    expect(task?.problems).toEqual([
      {
        code: 'task-file-twice',
        severity: 'warning',
        message: 'task a is both in tasks/active and in tasks/finished of /r',
        path: '/r/tasks/active/a',
        task_id: 'a',
      },
      {
        code: 'checkpoint-missing',
        severity: 'error',
        message: 'task a has no checkpoint directory /r/checkpoints/a',
        path: '/r/checkpoints/a',
        task_id: 'a',
      },
    ]);
  });

  test('without a task file is active', () => {
    expect(joined({ checkpoints: names('a') })).toEqual([
      {
        task_id: 'a',
        root: ROOT,
        phase: 'active',
        checkpoint_dir: '/r/checkpoints/a',
        problems: [
          {
            code: 'task-file-missing',
            severity: 'warning',
            message: 'task a has checkpoints in /r, but no task file',
            path: '/r/checkpoints/a',
            task_id: 'a',
          },
        ],
      },
    ]);
  });

  test.each([
    ['the checkpoints', { active: names('a'), checkpoints: UNKNOWN }],
    ['the active task files', { active: UNKNOWN, checkpoints: names('a') }],
    ['the finished task files', { finished: UNKNOWN, checkpoints: names('a') }],
  ])('lacks nothing that stands in a directory that is not known: %s', (_, lists) => {
    expect(joined(lists).map(codes)).toEqual([[]]);
  });
});

const someNames: fc.Arbitrary<DirectoryNames> = fc.record({
  names: fc
    .uniqueArray(fc.constantFrom('a', 'b', 'c', 'a b', '__proto__', 'constructor', '*', '\u001b[31m'))
    .map((all) => new Set(all)),
  known: fc.boolean(),
});

test('every name is one task, with the problems that its three directories show', () => {
  fc.assert(
    fc.property(fc.record({ active: someNames, finished: someNames, checkpoints: someNames }), (lists) => {
      const { active, finished, checkpoints } = lists;
      const tasks = joinTasks(ROOT, lists);
      const all = new Set([...active.names, ...finished.names, ...checkpoints.names]);
      expect(tasks.map(({ task_id }) => task_id).sort()).toEqual([...all].sort());
      for (const task of tasks) {
        const [isActive, isFinished, hasCheckpoint] = [active, finished, checkpoints].map((list) =>
          list.names.has(task.task_id),
        );
        const phase = isFinished ? 'finished' : 'active';
        const hasFile = isActive || isFinished;
        expect(task.phase).toBe(phase);
        expect(task.task_file).toBe(hasFile ? `/r/tasks/${phase}/${task.task_id}` : undefined);
        expect(codes(task)).toEqual([
          ...(isActive && isFinished ? ['task-file-twice'] : []),
          ...(hasFile && !hasCheckpoint && checkpoints.known ? ['checkpoint-missing'] : []),
          ...(!hasFile && active.known && finished.known ? ['task-file-missing'] : []),
        ]);
      }
    }),
  );
});
