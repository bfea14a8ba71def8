import { describe, expect, test } from 'vitest';
import type { CheckpointRecord, ProcessStatus, TaskState } from '../../src/checkpoint/records.js';
import { apply, stateAfter } from '../../src/runner/apply.js';
import { decide, type Effect } from '../../src/runner/decide.js';
import type { RunEvent, RunState } from '../../src/runner/state.js';
import { taskOf } from './harness.js';

const NOW = 1_000_000;
const HEADER: CheckpointRecord = { type: 'runner_header', value: { task_id: 'task' } };

const taskStatus = (state: TaskState): CheckpointRecord => ({
  type: 'task_status',
  value: { state, timestamp_ms: NOW * 1000, runner_pid: 1, runner_uid: 0 },
});
const status = (process: string, seq: number, rest: ProcessStatus): CheckpointRecord => ({
  type: 'process_status',
  value: { seq, process, ...rest },
});

/** The records of a process up to RUNNING, which its coordinator 10 and its command 11 are about, if no others are said. */
const running = (process: string, coordinator_pid = 10, pid = 11): CheckpointRecord[] => [
  status(process, 0, { state: 'WAITING' }),
  status(process, 1, { state: 'FORKED', fork_time: NOW, coordinator_pid }),
  status(process, 2, { state: 'RUNNING', start_time: NOW, pid }),
];

/** Taken up after these records; of a task with a regular process `p` and a final one `f`, if no other is given. */
function stateOf(past: readonly CheckpointRecord[], task = TASK, maxStarting = 4): RunState {
  return stateAfter({ task, header: HEADER, runner: { pid: 7, uid: 0 }, maxStarting }, past, []);
}

const TASK = taskOf([
  { name: 'p', cmdline: 'true' },
  { name: 'f', cmdline: 'true', final: true },
]);

/** What is decided, with the records taken for durable at once; up to the first effect that is none. */
function untilEffect(state: RunState, now = NOW): { records: string[]; effects: readonly Effect[] } {
  const records: string[] = [];
  for (;;) {
    const effects = decide(state, now);
    for (const effect of effects) {
      if (effect.type !== 'record') continue;
      for (const record of effect.records) {
        const { state: to, process, return_code } = record.value as ProcessStatus;
        records.push([process, to ?? 'header', return_code].filter((part) => part !== undefined).join(' '));
        apply(state, { type: 'recorded', record }, now);
      }
    }
    apply(state, { type: 'durable', count: state.progress.count }, now);
    const others = effects.filter(({ type }) => type !== 'record');
    if (others.length > 0) return { records, effects: others };
  }
}

function applied(state: RunState, ...events: RunEvent[]): RunState {
  for (const event of events) apply(state, event, NOW);
  return state;
}

describe('a runner that begins', () => {
  test('records the state with its pid and the header, then starts what can run', () => {
    const { records, effects } = untilEffect(stateOf([]));
    expect(records).toEqual(['ACTIVE', 'header', 'p WAITING']);
    expect(effects).toEqual([{ type: 'start', process: 'p', index: 0, seq: 1 }]);
  });

  test('takes up a run that is recorded as WAITING, as it is', () => {
    const { effects } = untilEffect(stateOf([HEADER, status('p', 4, { state: 'WAITING' })]));
    expect(effects).toEqual([{ type: 'start', process: 'p', index: 0, seq: 5 }]);
  });

  test('asks what runs to end, in CLEANING', () => {
    const { records, effects } = untilEffect(stateOf([HEADER, ...running('p'), taskStatus('CLEANING')]));
    expect({ records, effects }).toEqual({ records: ['CLEANING'], effects: [{ type: 'terminate' }] });
  });

  const finalizing = [HEADER, taskStatus('CLEANING'), taskStatus('FINALIZING'), ...running('f')];

  test('ends what runs in FINALIZING, and runs it anew', () => {
    const state = stateOf(finalizing);
    expect(untilEffect(state)).toEqual({ records: ['FINALIZING'], effects: [{ type: 'kill' }] });
    applied(state, { type: 'all-killed', ended: new Set([10]) });
    const { records, effects } = untilEffect(state);
    expect(records).toEqual(['f KILLED -1', 'f WAITING']);
    expect(effects.at(-1)).toEqual({ type: 'start', process: 'f', index: 1, seq: 5 });
  });

  test('but leaves it alone if it is to kill the task', () => {
    const state = applied(stateOf(finalizing), { type: 'kill', request: { state: 'KILLED' } });
    // It is a child of another runner's, so that it is looked at soon.
    const effects = [{ type: 'sleep', until: NOW + 0.5 }];
    expect(untilEffect(state)).toEqual({ records: ['FINALIZING'], effects });
  });
});

describe('a kill', () => {
  const active = () => {
    const state = stateOf([taskStatus('ACTIVE'), HEADER, ...running('p')]);
    untilEffect(state);
    return state;
  };

  test('is announced, then all that runs is asked to end', () => {
    const state = applied(active(), { type: 'kill', request: { state: 'KILLED' } });
    expect(untilEffect(state)).toEqual({ records: ['ACTIVE', 'CLEANING'], effects: [{ type: 'terminate' }] });
    applied(state, { type: 'terminated' });
    expect(untilEffect(state).effects).toEqual([{ type: 'sleep', until: NOW + 0.5 }]);
    // Asked again, they are asked again, and it is not announced once more.
    applied(state, { type: 'kill', request: { state: 'LOST', wait: 1 } });
    expect(untilEffect(state)).toEqual({ records: [], effects: [{ type: 'terminate' }] });
    applied(state, { type: 'terminated' });
    // The first says what the task then is, the more urgent when.
    expect(untilEffect(state, NOW + 1)).toEqual({ records: ['KILLED'], effects: [{ type: 'kill' }] });
  });

  test('that leaves no time asks nobody to end', () => {
    const state = applied(active(), { type: 'kill', request: { state: 'LOST', wait: 0 } });
    expect(untilEffect(state)).toEqual({
      records: ['ACTIVE', 'CLEANING', 'LOST'],
      effects: [{ type: 'kill' }],
    });
    applied(state, { type: 'all-killed', ended: new Set() });
    expect(untilEffect(state)).toEqual({
      records: ['p LOST'],
      effects: [{ type: 'finish', state: 'LOST' }],
    });
  });

  test('of now ends everything first, by SIGKILL', () => {
    const state = applied(active(), { type: 'kill', request: { state: 'KILLED', now: true } });
    expect(untilEffect(state)).toEqual({ records: ['ACTIVE'], effects: [{ type: 'kill' }] });
    applied(state, { type: 'all-killed', ended: new Set([11]) });
    expect(untilEffect(state)).toEqual({ records: ['p KILLED -9', 'KILLED'], effects: [{ type: 'kill' }] });
    applied(state, { type: 'all-killed', ended: new Set() });
    expect(untilEffect(state).effects).toEqual([{ type: 'finish', state: 'KILLED' }]);
  });

  test('reaches a process whose command was not there yet', () => {
    const [waiting, forked, run] = running('p') as [CheckpointRecord, CheckpointRecord, CheckpointRecord];
    const state = stateOf([taskStatus('ACTIVE'), HEADER, waiting, forked]);
    applied(state, { type: 'kill', request: { state: 'KILLED' } });
    untilEffect(state);
    applied(state, { type: 'terminated' }, { type: 'recorded', record: run });
    expect(untilEffect(state).effects).toMatchObject([{ type: 'terminate', run: { process: 'p', pid: 11 } }]);
  });

  test('of a task that is over changes nothing', () => {
    const state = stateOf([taskStatus('ACTIVE'), HEADER, taskStatus('SUCCESS')]);
    expect(applied(state, { type: 'kill', request: { state: 'LOST', now: true } }).kill).toBeUndefined();
  });
});

describe('a coordinator that is gone', () => {
  const adopted = () => {
    const state = stateOf([taskStatus('ACTIVE'), HEADER, ...running('p')]);
    untilEffect(state);
    return applied(state, { type: 'gone', process: 'p', coordinatorPid: 10 });
  };

  test('leaves a run that is cleared, then recorded as LOST, and run again', () => {
    const state = adopted();
    expect(decide(state, NOW)).toMatchObject([{ type: 'kill', run: { process: 'p' } }]);
    applied(state, { type: 'cleared', process: 'p', coordinatorPid: 10 });
    const { records, effects } = untilEffect(state);
    expect(records).toEqual(['p LOST', 'p WAITING']);
    expect(effects.at(-1)).toEqual({ type: 'start', process: 'p', index: 1, seq: 5 });
  });

  test('but not if it had recorded the end', () => {
    const end = status('p', 3, { state: 'SUCCESS', stop_time: NOW, return_code: 0 });
    const state = applied(
      adopted(),
      { type: 'recorded', record: end },
      { type: 'cleared', process: 'p', coordinatorPid: 10 },
    );
    expect(untilEffect(state)).toEqual({ records: ['CLEANING'], effects: [{ type: 'terminate' }] });
  });

  test('because it could not start the process leaves one that has FAILED', () => {
    const state = stateOf([taskStatus('ACTIVE'), HEADER, ...running('p')]);
    untilEffect(state);
    applied(
      state,
      { type: 'gone', process: 'p', coordinatorPid: 10, refusal: 'no room' },
      { type: 'cleared', process: 'p', coordinatorPid: 10 },
    );
    expect(untilEffect(state).records).toEqual(['p LOST', 'p WAITING', 'p FAILED', 'CLEANING']);
    expect(state.problems).toMatchObject([{ code: 'process-not-started', process: 'p' }]);
  });

  test('whose start was never to be read leaves one that has FAILED', () => {
    const state = stateOf([taskStatus('ACTIVE'), HEADER, status('p', 0, { state: 'WAITING' })]);
    untilEffect(state);
    applied(
      state,
      { type: 'started', process: 'p', coordinatorPid: 10 },
      { type: 'gone', process: 'p', coordinatorPid: 10 },
    );
    expect(untilEffect(state).records).toEqual(['p FAILED', 'CLEANING']);
    expect(state.problems).toMatchObject([{ code: 'process-not-started', process: 'p' }]);
  });

  test('is not waited for when it never came to its command', () => {
    const [waiting, forked] = running('p') as [CheckpointRecord, CheckpointRecord];
    const state = stateOf([taskStatus('ACTIVE'), HEADER, waiting, forked]);
    untilEffect(state);
    expect(decide(state, NOW + 60)).toEqual([{ type: 'sleep', until: NOW + 60 }]);
    expect(decide(state, NOW + 60.1)).toMatchObject([{ type: 'kill', run: { process: 'p' } }]);
  });
});

describe('starts', () => {
  const many = taskOf(Array.from({ length: 9 }, (_, i) => ({ name: `p${i}`, cmdline: 'true' })));
  const startsOf = (state: RunState, now = NOW) =>
    untilEffect(state, now).effects.flatMap((effect) => (effect.type === 'start' ? [effect.process] : []));

  test('come in batches, and no more at once than the machine starts well', () => {
    const state = stateOf([HEADER], many, 6);
    expect(startsOf(state)).toEqual(['p0', 'p1', 'p2', 'p3']);
    for (const [i, name] of ['p0', 'p1', 'p2', 'p3'].entries()) {
      const [, forked] = running(name, 20 + i) as [CheckpointRecord, CheckpointRecord];
      applied(state, { type: 'recorded', record: forked });
    }
    expect(startsOf(state)).toEqual(['p4', 'p5']);
  });

  test('that fail for a while let others go first, and are tried again', () => {
    const state = stateOf([HEADER], many);
    for (const process of startsOf(state)) {
      applied(state, { type: 'not-started', process, reason: 'EAGAIN', isTransient: true });
    }
    expect(startsOf(state)).toEqual(['p4', 'p5', 'p6', 'p7']);
    expect(startsOf(state, NOW + 0.1)).toEqual(['p0', 'p1', 'p2', 'p3']);
    // A clock that was set back does not hold them up.
    expect(startsOf(state, NOW - 3600)).toEqual(['p0', 'p1', 'p2', 'p3']);
  });

  const fail = (process: string) => ({
    type: 'not-started' as const,
    process,
    reason: 'no room',
    isTransient: true,
    hint: 'make room',
  });
  const waiting = (process: string): RunEvent => ({
    type: 'recorded',
    record: status(process, 0, { state: 'WAITING' }),
  });
  const stop = (process: string) => [{ type: 'stop', process, reason: 'no room', hint: 'make room' }];

  test('that fail for a minute are left to the next runner, and it is said that they wait', () => {
    const state = stateOf([HEADER], TASK);
    untilEffect(state);
    applied(state, fail('p'));
    expect(decide(state, NOW)).toEqual([{ type: 'sleep', until: NOW + 0.05 }]);
    expect(state.problems).toEqual([]);
    apply(state, fail('p'), NOW + 2);
    apply(state, fail('p'), NOW + 59);
    const message = 'process "p" has to wait: no room';
    const problem = {
      code: 'out-of-resources',
      severity: 'warning',
      message,
      process: 'p',
      hint: 'make room',
    };
    expect(state.problems).toEqual([problem]);
    expect(decide(state, NOW + 59)).toEqual([{ type: 'sleep', until: NOW + 60 }]);
    apply(state, fail('p'), NOW + 60);
    expect(untilEffect(state, NOW + 60)).toEqual({ records: [], effects: stop('p') });
  });

  test('that fail are tried as long as another process runs, which may have what they need', () => {
    const task = taskOf(['p', 'q'].map((name) => ({ name, cmdline: 'true', min_duration: 0 })));
    const state = stateOf([HEADER, ...running('q')], task);
    untilEffect(state);
    applied(state, waiting('p'), { type: 'durable', count: state.progress.count + 1 }, fail('p'));
    apply(state, fail('p'), NOW + 3600);
    expect(decide(state, NOW + 3600)).toMatchObject([{ type: 'sleep' }]);
    expect(decide(state, NOW + 3601)).toMatchObject([{ type: 'start', process: 'p' }]);
    applied(state, { type: 'recorded', record: status('q', 3, { state: 'SUCCESS', return_code: 0 }) });
    expect(decide(state, NOW + 3600)).toEqual(stop('p'));
  });

  const inFinalizing = () => {
    const past = [...running('p'), status('p', 3, { state: 'SUCCESS', stop_time: NOW, return_code: 0 })];
    const state = stateOf([HEADER, ...past, taskStatus('CLEANING'), taskStatus('FINALIZING')]);
    expect(untilEffect(state)).toMatchObject({ records: ['FINALIZING'], effects: [{ type: 'kill' }] });
    return applied(state, { type: 'all-killed', ended: new Set() });
  };

  test('of final processes that fail until their time is over do not let the task succeed without them', () => {
    const state = applied(inFinalizing(), waiting('f'), fail('f'));
    expect(untilEffect(state, NOW + 30)).toEqual({ records: [], effects: stop('f') });
    // Who kills it does not want to wait for them.
    const killed = applied(inFinalizing(), { type: 'kill', request: { state: 'KILLED', wait: 30 } });
    applied(killed, waiting('f'), fail('f'));
    expect(untilEffect(killed, NOW + 30).records).toEqual(['FINALIZING', 'KILLED']);
  });

  test('nor do those whose coordinators wait for what the machine is short of until then', () => {
    const started = (state: RunState) => {
      const [, forked] = running('f') as [CheckpointRecord, CheckpointRecord];
      applied(state, waiting('f'), { type: 'recorded', record: forked });
      return applied(state, { type: 'waiting', process: 'f', reason: 'open EMFILE' });
    };
    const state = started(inFinalizing());
    const stopped = { type: 'stop', process: 'f', reason: 'open EMFILE', hint: expect.any(String) };
    expect(untilEffect(state, NOW + 30)).toEqual({ records: [], effects: [stopped] });
    // It has what it needs, and takes too long by itself.
    const ran = started(inFinalizing());
    applied(ran, { type: 'recorded', record: running('f').at(-1) as CheckpointRecord });
    expect(untilEffect(ran, NOW + 30).records).toEqual(['SUCCESS']);
    const killed = applied(started(inFinalizing()), {
      type: 'kill',
      request: { state: 'KILLED', wait: 30 },
    });
    expect(untilEffect(killed, NOW + 30).records).toEqual(['FINALIZING', 'KILLED']);
  });

  test('of final processes have all their time again under the next runner', () => {
    const state = inFinalizing();
    const later = NOW + 3600;
    const again = stateOf([
      HEADER,
      ...running('p'),
      status('p', 3, { state: 'SUCCESS', stop_time: NOW, return_code: 0 }),
      taskStatus('CLEANING'),
      taskStatus('FINALIZING'),
    ]);
    expect(untilEffect(state, NOW + 31).records).toEqual(['SUCCESS']);
    expect(untilEffect(again, later)).toMatchObject({ records: ['FINALIZING'], effects: [{ type: 'kill' }] });
    applied(again, { type: 'all-killed', ended: new Set() });
    expect(untilEffect(again, later + 1).effects.at(-1)).toMatchObject({ type: 'start', process: 'f' });
  });

  test('that the coordinator could not make for a shortage are lost, not failed, and stop the runner', () => {
    const state = stateOf([HEADER, ...running('p').slice(0, 2)]);
    untilEffect(state);
    applied(state, { type: 'gone', process: 'p', coordinatorPid: 10, shortage: 'no room' });
    expect(untilEffect(state).effects).toMatchObject([{ type: 'kill', run: { process: 'p' } }]);
    applied(state, { type: 'cleared', process: 'p', coordinatorPid: 10 });
    const effects = [{ type: 'stop', process: 'p', reason: 'no room' }];
    expect(untilEffect(state)).toEqual({ records: ['p LOST'], effects });
  });
});

test('a task whose final processes are done ends at once, not when its time is over', () => {
  const end = status('f', 3, { state: 'FAILED', stop_time: NOW, return_code: 1 });
  const state = stateOf([HEADER, taskStatus('CLEANING'), taskStatus('FINALIZING'), ...running('f'), end]);
  expect(untilEffect(state)).toMatchObject({ records: ['FINALIZING'], effects: [{ type: 'kill' }] });
  applied(state, { type: 'all-killed', ended: new Set() });
  // `p` never ran: a runner before us was asked to kill the task.
  expect(untilEffect(state).records).toEqual(['KILLED']);
});

test('and at once, too, if those that are left wait for one that has failed', () => {
  const finals = ['f', 'g'].map((name) => ({ name, cmdline: 'true', final: true }));
  const task = taskOf([{ name: 'p', cmdline: 'true' }, ...finals], { constraints: [{ order: ['f', 'g'] }] });
  const end = status('f', 3, { state: 'FAILED', stop_time: NOW, return_code: 1 });
  const state = stateOf(
    [HEADER, taskStatus('CLEANING'), taskStatus('FINALIZING'), ...running('f'), end],
    task,
  );
  untilEffect(state);
  applied(state, { type: 'all-killed', ended: new Set() });
  expect(untilEffect(state).records).toEqual(['KILLED']);
});
