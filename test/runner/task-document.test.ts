import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors/errors.js';
import { isSameTask, runnableTask, taskFileText } from '../../src/runner/task-document.js';
import { corpusCase } from './harness.js';

describe('the document of a task', () => {
  test('has a value in every field, the original’s default where it says nothing', () => {
    const { processes, document, ...task } = runnableTask({ processes: [{ name: 'a', cmdline: 'true' }] });
    expect(task).toEqual({
      name: 'a',
      orders: [],
      max_failures: 1,
      max_concurrency: 0,
      finalization_wait: 30,
      user: undefined,
    });
    expect(processes).toEqual([
      {
        name: 'a',
        cmdline: 'true',
        daemon: false,
        ephemeral: false,
        final: false,
        max_failures: 1,
        min_duration: 5,
        logger: {},
      },
    ]);
    expect(document).toMatchObject({ name: 'a', constraints: [], max_failures: 1 });
  });

  test.each(['chain-5', 'unicode', 'rotate', 'logger-destinations', 'final-on-failure'])(
    'of %s is written with the fields and values that the original wrote',
    (name) => {
      const { task } = corpusCase(name);
      expect(task.document).toEqual(JSON.parse(taskFileText(task)));
      expect(isSameTask(runnableTask(JSON.parse(taskFileText(task))), task)).toBe(true);
      expect(taskFileText(task)).toMatch(/^[\x20-\x7e]*$/);
    },
  );

  test('is the same in whatever order its fields are', () => {
    const process = { name: 'a', cmdline: 'true' };
    const other = { cmdline: 'true', final: false, name: 'a' };
    expect(
      isSameTask(runnableTask({ processes: [process] }), runnableTask({ name: 'a', processes: [other] })),
    ).toBe(true);
    const changed = runnableTask({ processes: [{ ...process, cmdline: 'false' }] });
    expect(isSameTask(runnableTask({ processes: [process] }), changed)).toBe(false);
  });

  test('is the same in whatever order its processes and constraints are, but for processes with one name', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name, cmdline: `echo ${name}` }));
    const other = { name: 'a', cmdline: 'true' };
    const task = (processes: unknown[], ...orders: string[][]) =>
      runnableTask({ name: 'task', processes, constraints: orders.map((order) => ({ order })) });
    const first = task([a, b, c], ['a', 'b'], ['b', 'c']);
    expect(isSameTask(first, task([c, a, b], ['b', 'c'], ['a', 'b']))).toBe(true);
    expect(isSameTask(first, task([a, b, c], ['b', 'a'], ['b', 'c']))).toBe(false);
    expect(isSameTask(first, task([a, b, b, c], ['a', 'b'], ['b', 'c']))).toBe(false);
    expect(isSameTask(task([a, other, b]), task([b, a, other]))).toBe(true);
    expect(isSameTask(task([a, other, b]), task([b, other, a]))).toBe(false);
  });

  test('of processes with one name, the file has all and the last runs', () => {
    const processes = ['first', 'other', 'last'].map((cmdline) => ({
      name: cmdline === 'other' ? 'b' : 'a',
      cmdline,
    }));
    const task = runnableTask({ processes });
    expect(task.processes.map(({ name, cmdline }) => [name, cmdline])).toEqual([
      ['a', 'last'],
      ['b', 'other'],
    ]);
    expect(task.document.processes).toMatchObject(processes);
  });

  test.each([
    [[], 'the task is not an object'],
    [{}, 'processes is not a list'],
    [{ processes: [] }, 'has no processes'],
    [{ processes: [{ name: 'a' }] }, 'cmdline of process "a" is not a string'],
    [{ processes: [{ name: '../a', cmdline: '' }] }, 'cannot be the name'],
    [{ processes: [{ name: '.a', cmdline: '' }] }, 'cannot be the name'],
    [{ processes: [{ name: '', cmdline: '' }] }, 'cannot be the name'],
    [{ processes: [{ name: 'a', cmdline: '', daemon: 1 }] }, 'daemon'],
    [{ processes: [{ name: 'a', cmdline: '', min_duration: -1 }] }, 'min_duration'],
    [{ processes: [{ name: 'a', cmdline: '', max_failures: 0.5 }] }, 'max_failures'],
    [{ processes: [{ name: 'a', cmdline: '', logger: { mode: 'x' } }] }, 'standard, rotate'],
  ])('%j cannot be run', (json, why) => {
    expect(() => runnableTask(json)).toThrow(UsageError);
    expect(() => runnableTask(json)).toThrow(why);
  });
});
