import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { placeForEach, thermos } from './harness.js';
import { expectContract } from './tasks.js';

const temp = placeForEach();

const TASK = {
  name: 'etl',
  max_failures: 1,
  processes: [{ name: 'load', cmdline: 'load' }],
};

function finished(id: string, task: object, ...states: typeof RAN) {
  const state = states.at(-1) === 'FAILED' ? 'FAILED' : 'SUCCESS';
  writeTask(temp.root, id, {
    phase: 'finished',
    task,
    runner: new Records()
      .status('ACTIVE')
      .header({})
      .process('load', ...states)
      .status(state),
  });
}

const diff = (...words: string[]) => thermos(['diff', '--root', temp.root, ...words]);

function document(...words: string[]) {
  const { stdout, status } = diff('--json', ...words);
  const json = JSON.parse(stdout);
  expectContract('diff', json);
  return { json, status };
}

test('as diff(1): 0 if they are the same, 1 if not', () => {
  finished('a', TASK, ...RAN);
  finished('b', TASK, ...RAN);
  finished('c', { ...TASK, max_failures: 2 }, ...FAILED);
  const same = diff('a', 'b');
  expect([same.status, same.stderr]).toEqual([0, '']);
  expect(same.stdout).toContain('No difference in the config and in the outcome.\n');
  expect(document('a', 'b')).toMatchObject({ status: 0, json: { same: true, config: [], outcome: [] } });

  const other = diff('a', 'c');
  expect([other.status, other.stderr]).toEqual([1, '']);
  expect(other.stdout).toContain('  max_failures: 1 → 2\n');
  expect(document('a', 'c')).toMatchObject({
    status: 1,
    json: {
      a: { task_id: 'a', state: 'SUCCESS' },
      b: { task_id: 'c', state: 'FAILED' },
      same: false,
      config: [{ field: 'max_failures', change: 'changed', a: 1, b: 2 }],
      outcome: [
        { field: 'state', a: 'SUCCESS', b: 'FAILED' },
        { process: 'load', field: 'state' },
        { process: 'load', field: 'return_code', a: 0, b: 7 },
        { process: 'load', field: 'failures', a: 0, b: 1 },
      ],
    },
  });
});

test('a config beside the task that was run of it: what a run would change now', () => {
  const config = join(temp.path, 'etl.json');
  const write = (task: object) => writeFileSync(config, JSON.stringify(task));
  const etl = {
    name: 'etl',
    processes: [{ name: 'load', cmdline: 'echo {{thermos.task_id}} {{thermos.ports[http]}}' }],
  };
  write(etl);
  const words = ['run', '--root', temp.root, '--task-id', 'etl-1', '-P', 'http:8080', config];
  expect(thermos(words).status).toBe(0);
  expect(diff('etl-1', config)).toMatchObject({ status: 0 });
  expect(document(config, config)).toMatchObject({ status: 0, json: { a: { path: config }, outcome: null } });
  write({ ...etl, max_failures: 3 });
  expect(document('etl-1', config)).toMatchObject({
    status: 1,
    json: { config: [{ field: 'max_failures', a: 1, b: 3 }], outcome: null, durations: null },
  });
});

test('without a task file, no difference in the rest is no answer: exit 5', () => {
  finished('a', TASK, ...RAN);
  finished('b', TASK, ...RAN);
  rmSync(join(temp.root, 'tasks/finished/b'));
  const { stdout, stderr, status } = diff('a', 'b');
  expect([status, stdout.includes('the configs cannot be compared')]).toEqual([5, true]);
  expect(stderr).toContain('the config of task b cannot be compared');
  expect(document('a', 'b').json.config).toBe(null);
});

test('one word, three words, a word for two tasks: exit 2; none: exit 1', () => {
  finished('t-a', TASK, ...RAN);
  finished('t-b', TASK, ...RAN);
  for (const words of [['t-a'], ['t-a', 't-b', 't-a'], ['t', 't-a']])
    expect([words, diff(...words).status]).toEqual([words, 2]);
  expect(diff('t-a', 't-c').status).toBe(1);
});
