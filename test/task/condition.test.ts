import { describe, expect, test } from 'vitest';
import type { ProcessStatus } from '../../src/checkpoint/records.js';
import { NotFoundError } from '../../src/errors/errors.js';
import { conditionState, isOver, latestRun } from '../../src/task/condition.js';
import type { TaskView } from '../../src/task/view.js';
import { config, processView, taskView } from '../views/task-views.js';

const ALIVE = { pid: 1, uid: 0, alive: true };

/** A task of one process with these runs. */
function taskWith(runs: ProcessStatus[], given: Partial<TaskView> = {}, max_failures = 1): TaskView {
  const last = runs.at(-1);
  const failures = runs.filter(({ state }) => state === 'FAILED').length;
  return taskView({
    runner: ALIVE,
    config: config({ processes: [{ name: 'web', max_failures }] }),
    processes: [processView('web', { state: last?.state ?? 'WAITING', runs: runs.length, failures })],
    history: new Map([['web', { process: 'web', runs, run_count: runs.length, failures }]]),
    ...given,
  });
}

const STARTED = { coordinator_pid: 11, pid: 12 };

describe('a task is over', () => {
  test.each([
    ['when its file has moved', { state: 'SUCCESS', phase: 'finished', runner: ALIVE }, true],
    ['when its runner is gone', { state: 'FAILED', phase: 'active', runner: { alive: false } }, true],
    [
      'not while its runner still has to move the file',
      { state: 'FAILED', phase: 'active', runner: ALIVE },
      false,
    ],
    ['not while it runs', { state: 'ACTIVE', phase: 'active', runner: ALIVE }, false],
    ['not because its runner died', { state: 'ACTIVE', phase: 'active', runner: { alive: false } }, false],
  ] as [string, Partial<TaskView>, boolean][])('%s', (_, view, over) => {
    expect(isOver(taskView(view))).toBe(over);
  });
});

describe('a condition', () => {
  const standing = (
    view: TaskView,
    state: string,
    since = latestRun(view, { process: 'web', state: 'WAITING' }),
  ) => conditionState(view, { process: 'web', state: state as 'RUNNING' }, since).kind;

  test('is met by the state of the latest run, and by those that it has passed through', () => {
    const view = taskWith([{ ...STARTED, state: 'SUCCESS' }]);
    for (const state of ['WAITING', 'FORKED', 'RUNNING', 'SUCCESS'])
      expect(standing(view, state)).toBe('met');
  });

  test('is not met by what an earlier run was before the waiting began', () => {
    const view = taskWith([{ ...STARTED, state: 'FAILED' }, { state: 'WAITING' }], {}, 3);
    expect(standing(view, 'FAILED')).toBe('pending');
    expect(standing(view, 'RUNNING')).toBe('pending');
  });

  test('is met by a run that came and went between two looks', () => {
    const view = taskWith([{ ...STARTED, state: 'FAILED' }, { state: 'WAITING' }], {}, 3);
    expect(standing(view, 'FAILED', 0)).toBe('met');
  });

  test('a run that could not be started was never RUNNING', () => {
    expect(standing(taskWith([{ state: 'FAILED' }]), 'RUNNING')).toBe('never');
  });

  test('is impossible if the process is not run again, or the task is over', () => {
    const failed = [{ ...STARTED, state: 'FAILED' as const }];
    expect(standing(taskWith(failed), 'SUCCESS')).toBe('never');
    expect(standing(taskWith(failed, {}, 2), 'SUCCESS')).toBe('pending');
    expect(standing(taskWith(failed, { state: 'KILLED', phase: 'finished' }, 2), 'SUCCESS')).toBe('never');
  });

  test('stays open while there is no runner: another may take over', () => {
    const gone = { runner: { alive: false } };
    expect(standing(taskWith([{ ...STARTED, state: 'FAILED' }], gone), 'SUCCESS')).toBe('pending');
  });

  test('a process that is not there is an error that names those that are', () => {
    const ask = () => conditionState(taskWith([]), { process: 'wbe', state: 'RUNNING' }, -1);
    expect(ask).toThrow(NotFoundError);
    expect(ask).toThrow("task hello-1 has no process 'wbe'");
  });

  test('a process that is not there yet is waited for if nobody knows which there are', () => {
    const view = taskWith([], { config: undefined, processes: [], history: new Map() });
    expect(standing(view, 'RUNNING')).toBe('pending');
  });
});
