import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { whyNoRestart } from '../../src/app/restart.js';
import type { CheckpointRecord, ProcessStatus } from '../../src/checkpoint/records.js';
import { MAX_RUNS } from '../../src/config/planner.js';
import { apply, stateAfter } from '../../src/runner/apply.js';
import { decide } from '../../src/runner/decide.js';
import { taskOf } from '../runner/harness.js';
import { config, processView, ran, taskView } from '../views/task-views.js';

const RUNNING = ran('web', { state: 'RUNNING', return_code: undefined, stop_time: undefined });

describe('a process is not restarted', () => {
  test.each<[string, Parameters<typeof taskView>[0], Parameters<typeof processView>[1], number, string]>([
    ['of a task that is over', { state: 'SUCCESS' }, RUNNING, 1, 'task hello-1 is over: SUCCESS'],
    [
      'of a task without a runner',
      { verdict: 'runner-gone' },
      RUNNING,
      5,
      'task hello-1 has no live runner that would run web again',
    ],
    [
      'of a task that is ending',
      { state: 'CLEANING' },
      RUNNING,
      5,
      'task hello-1 is CLEANING: it is ending, and does not run a process again',
    ],
    [
      'that is final, in a task that is ending',
      { state: 'FINALIZING' },
      RUNNING,
      5,
      'task hello-1 is FINALIZING: it is ending, and does not run a process again',
    ],
    ['that waits for others', {}, {}, 1, 'process web has never started: it waits for its turn'],
    [
      'that is about to start',
      {},
      { state: 'FORKED', runs: 2 },
      1,
      'process web is not running yet: run 1 is FORKED, about to start',
    ],
    [
      'that is about to start again',
      {},
      { state: 'WAITING', runs: 2 },
      1,
      'process web is not running yet: run 1 is WAITING, about to start',
    ],
    ['that is done', {}, ran('web'), 1, 'process web is done: run 0 ended SUCCESS'],
    [
      'that failed too often',
      {},
      ran('web', { state: 'FAILED', failures: 1 }),
      1,
      'process web is done: run 0 ended FAILED',
    ],
    [
      'that runs again by itself',
      {},
      ran('web', { state: 'LOST' }),
      1,
      'process web is not running: run 0 ended LOST, and its runner runs it again by itself',
    ],
    [
      'that has run as often as it may',
      {},
      { ...RUNNING, runs: MAX_RUNS },
      5,
      'process web has run 100 times: a runner runs a process at most 100 times',
    ],
  ])('%s', (_, task, process, exitCode, message) => {
    const view = taskView({ ...task, processes: [processView('web', process)] });
    expect(whyNoRestart(view, processView('web', process))).toMatchObject({ exitCode, message });
  });

  test('with advice that can be pasted', () => {
    const [dead, often] = [
      whyNoRestart(taskView({ verdict: 'runner-gone' }), RUNNING),
      whyNoRestart(taskView(), { ...RUNNING, runs: MAX_RUNS }),
    ];
    expect(dead?.hint).toBe('resume the task with its config: thermos run --task-id hello-1 CONFIG');
    expect(often?.hint).toBe('signal it instead: thermos signal hello-1 web TERM');
  });
});

const NOW = 1_000_000;
const HEADER: CheckpointRecord = { type: 'runner_header', value: { task_id: 'task' } };
const ACTIVE: CheckpointRecord = {
  type: 'task_status',
  value: { state: 'ACTIVE', timestamp_ms: NOW * 1000 },
};

/** The records of runs that ended like this, and of one that runs. */
function recordsOf(ends: readonly ProcessStatus[]): CheckpointRecord[] {
  let seq = 0;
  const runs = [...ends, undefined].flatMap((end, i) => {
    const started: ProcessStatus[] = [
      { state: 'WAITING' },
      { state: 'FORKED', fork_time: NOW + i, coordinator_pid: 10 + i },
      { state: 'RUNNING', start_time: NOW + i, pid: 100 + i },
    ];
    return end === undefined ? started : [...started, end];
  });
  return runs.map((value) => ({ type: 'process_status', value: { process: 'web', seq: seq++, ...value } }));
}

/** What a runner does when it has recorded LOST for the run that runs: its next step, much later than `min_duration`. */
function afterLoss(ends: readonly ProcessStatus[], settings: { daemon?: boolean; ephemeral?: boolean }) {
  // Nothing may wait for a daemon, and only another ephemeral process for an ephemeral one.
  const isBefore = !settings.daemon && !settings.ephemeral;
  const processes = [
    { name: 'web', cmdline: 'true', ...settings },
    { name: 'after', cmdline: 'true' },
  ];
  const task = taskOf(processes, isBefore ? { constraints: [{ order: ['web', 'after'] }] } : {});
  const past = [HEADER, ACTIVE, ...recordsOf(ends)];
  const state = stateAfter({ task, header: HEADER, runner: { pid: 7, uid: 0 }, maxStarting: 4 }, past, []);
  apply(state, { type: 'recorded', record: ACTIVE }, NOW);
  const lost: CheckpointRecord = {
    type: 'process_status',
    value: { process: 'web', seq: past.length - 2, state: 'LOST' },
  };
  expect(state.progress.fits(lost)).toBe(true);
  apply(state, { type: 'recorded', record: lost }, NOW);
  apply(state, { type: 'durable', count: state.progress.count }, NOW);
  return { state, next: decide(state, NOW + 1e6) };
}

const END = {
  FAILED: { state: 'FAILED', stop_time: NOW, return_code: 1 },
  KILLED: { state: 'KILLED', stop_time: NOW, return_code: -15 },
  LOST: { state: 'LOST' },
} as const;

test('a runner runs a process again after the record of a restart exactly if it is not refused, and counts no failure', () => {
  const ends = fc.array(fc.constantFrom<ProcessStatus>(END.FAILED, END.KILLED, END.LOST), { maxLength: 5 });
  const often = fc.integer({ min: 95, max: 99 }).map((count) => Array<ProcessStatus>(count).fill(END.LOST));
  const settings = fc.record({ ephemeral: fc.boolean(), min_duration: fc.constantFrom(0, 5) });
  fc.assert(
    fc.property(fc.oneof(ends, often), settings, (runs, given) => {
      const failures = runs.filter(({ state }) => state === 'FAILED').length;
      // As few as may be, so that one more would end it.
      const own = { ...given, max_failures: failures + 1 };
      const { state, next } = afterLoss(runs, own);
      const process = { ...RUNNING, runs: runs.length + 1, failures };
      const view = taskView({
        config: config({ processes: [{ name: 'web', ...own }] }),
        processes: [process],
      });
      const isRunAgain = next.some(
        (effect) =>
          effect.type === 'record' &&
          effect.records.some(
            ({ value }) => 'process' in value && value.process === 'web' && value.state === 'WAITING',
          ),
      );
      expect(isRunAgain).toBe(whyNoRestart(view, process) === undefined);
      if (given.ephemeral) return;
      const isNext = next.some((effect) => 'process' in effect && effect.process === 'after');
      expect(isNext || state.progress.runs.has('after')).toBe(false);
    }),
  );
});

test('also a daemon', () => {
  const { next } = afterLoss([END.LOST, END.LOST], { daemon: true });
  expect(JSON.stringify(next)).toContain('{"seq":12,"process":"web","state":"WAITING"}');
});
