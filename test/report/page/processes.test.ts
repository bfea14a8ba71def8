import { expect, test } from 'vitest';
import { foldedText } from '../../../src/report/page/process-view.js';
import { processesOf } from '../../../src/report/page/processes.js';
import { LAUNCHED, runOf, taskOf, taskWith } from './reports.js';

test('runs are numbered from 0, and go on after those that were not kept', () => {
  const task = taskWith(
    { main: [runOf(1, 1), runOf(2, 1), runOf(3, 1)] },
    { left_out: { runs: { main: { at: 1, count: 100 } } } },
  );
  expect(processesOf(task)[0]?.runs.map(({ n }) => n)).toEqual([0, 101, 102]);
});

test('a document that has only the last run of a process has it by its number', () => {
  const process = { process: 'main', state: 'FAILED' as const, runs: 3, failures: 3, return_code: 7 };
  const [only] = processesOf(taskOf({ processes: [process], history: {} }));
  expect(only?.runs).toMatchObject([{ n: 2, state: 'FAILED', how: 'exit code 7' }]);
});

test('a process may have any name', () => {
  const history = JSON.parse('{"__proto__":[{"state":"SUCCESS"}],"toString":[{"state":"LOST"}]}');
  const names = ['__proto__', 'toString', 'constructor'];
  const processes = names.map((process) => ({ process, state: 'LOST' as const, runs: 0, failures: 0 }));
  expect(
    processesOf(taskOf({ processes, history })).map(({ runs }) => runs.map(({ state }) => state)),
  ).toEqual([['SUCCESS'], ['LOST'], []]);
});

test('a run says how it ended, in words', () => {
  const codes = [0, 3, -9, 137, -1, undefined];
  const runs = codes.map((return_code) => ({ state: 'FAILED' as const, return_code }));
  expect(processesOf(taskWith({ main: runs }))[0]?.runs.map(({ how }) => how)).toEqual([
    'exit code 0',
    'exit code 3',
    'signal 9, SIGKILL',
    'exit code 137 (from a shell: its command was killed by signal 9, SIGKILL)',
    'signal 1, SIGHUP',
    '',
  ]);
});

test('a run that was killed with its task was killed by the runner', () => {
  const stop_time = LAUNCHED / 1000 + 9;
  const statuses = [{ state: 'CLEANING' as const, timestamp_ms: LAUNCHED + 8000 }];
  const task = taskWith({ main: [{ state: 'KILLED', return_code: -1, stop_time }] }, { statuses });
  expect(processesOf(task)[0]?.runs[0]?.how).toBe('return code -1, by the runner');
});

test('what kind of process it is comes from a task file that may hold anything', () => {
  const task = { processes: [{ name: 'main', final: true, daemon: 'yes' }, null, 7, { name: 1 }, 'main'] };
  expect(processesOf(taskWith({ main: [] }, { task }))[0]?.kinds).toEqual(['final']);
  for (const processes of [null, 7, 'main', {}])
    expect(processesOf(taskWith({ main: [] }, { task: { processes } }))).toHaveLength(1);
});

test('folded runs are counted by how they ended', () => {
  const task = taskWith({ main: [...Array(97).fill(runOf(1, 1, 'FAILED')), { state: 'LOST' }] });
  expect(foldedText(processesOf(task)[0]?.runs ?? [])).toBe('97 FAILED (exit code 1), 1 LOST');
});
