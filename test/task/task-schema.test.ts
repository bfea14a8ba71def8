import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkTask, taskFileProblems } from '../../src/task/task-schema.js';

const problemsOf = (json: unknown) => taskFileProblems(json, '/r/tasks/active/t', 't');
const fieldsOf = (json: unknown) => problemsOf(json).map(({ field }) => field);

test('an absent field has the default, and so has null', () => {
  const processes = [{ name: 'a', cmdline: 'true', daemon: null, min_duration: null }];
  const checked = checkTask({ processes, constraints: null, max_failures: null, other: 1 });
  expect(checked).toEqual({ task: { processes, orders: [], max_failures: null } });
});

test('each fault has its field, and the process that it is in by its name', () => {
  const json = {
    processes: [
      { name: 'a', cmdline: 'x', max_failures: '1', logger: { rotate: { backups: -1 } } },
      { cmdline: 1, daemon: 'yes' },
      7,
    ],
    constraints: [{ order: ['a', 5] }, 'b'],
  };
  expect(problemsOf(json).map(({ field, message }) => [field, message])).toEqual([
    [
      'processes[0].max_failures',
      'in the task file, max_failures of process "a" is not a whole number of at least 0',
    ],
    [
      'processes[0].logger.rotate.backups',
      'in the task file, backups of process "a" is not a whole number of at least 0',
    ],
    ['processes[1].name', 'in the task file, the name of a process is not a string'],
    ['processes[1].cmdline', 'in the task file, cmdline of a process is not a string'],
    ['processes[1].daemon', 'in the task file, daemon of a process is neither true nor false'],
    ['processes[2]', 'in the task file, a process is not an object'],
    ['constraints[0].order[1]', 'in the task file, order is not a string'],
    ['constraints[1]', 'in the task file, a constraint is not an object'],
  ]);
  expect(problemsOf(json)[0]).toMatchObject({
    code: 'task-file-damaged',
    severity: 'warning',
    path: '/r/tasks/active/t',
    task_id: 't',
  });
});

test('a command line is needed to run a task, not to read it', () => {
  for (const json of [{ processes: [] }, { processes: [{ name: 'a' }] }]) {
    expect(problemsOf(json)).toEqual([]);
    expect(checkTask(json)).toHaveProperty('faults');
  }
});

describe('hostile JSON', () => {
  test('of a million faults, as many are reported as were asked for', () => {
    const many = Array(1_000_000).fill(0);
    expect(checkTask({ processes: many }, 3)).toHaveProperty('faults.length', 3);
    expect(problemsOf({ processes: many })).toHaveLength(10);
    expect(problemsOf({ processes: [], constraints: [{ order: many }] })).toHaveLength(10);
    expect(problemsOf({ processes: [], constraints: many })).toHaveLength(10);
  });

  test('is nested as deeply as it likes', () => {
    const nested = JSON.parse(`${'[{"a":'.repeat(100_000)}1${'}]'.repeat(100_000)}`);
    expect(fieldsOf({ processes: nested, other: nested, resources: { cpu: nested } })).toEqual([
      'processes[0].name',
    ]);
  });

  test('has keys that are no fields', () => {
    const process = '{"name":"__proto__","cmdline":"x","__proto__":{"daemon":1},"constructor":2}';
    const json = JSON.parse(`{"processes":[${process}],"__proto__":{"processes":1},"toString":3}`);
    expect(problemsOf(json)).toEqual([]);
    expect(checkTask(JSON.parse('{"__proto__":{"processes":[]}}'))).toHaveProperty('faults');
  });

  test('whatever it is, it is a task or has faults, and nothing is thrown', () => {
    const part = fc.oneof(
      fc.jsonValue(),
      fc.constant([{ name: 'a', cmdline: 'x' }]),
      fc.constant([{ order: ['a'] }]),
      fc.nat(),
    );
    const keys = ['name', 'processes', 'constraints', 'resources', 'max_failures', 'user'];
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(fc.constantFrom(...keys), part), fc.jsonValue()), (json) => {
        const checked = checkTask(json, 5);
        if ('task' in checked) expect(problemsOf(json)).toEqual([]);
        else expect(checked.faults.length).toBeGreaterThan(0);
      }),
    );
  });
});
