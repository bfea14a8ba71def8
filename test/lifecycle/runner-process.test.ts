import type { Stats } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { TaskStatus } from '../../src/checkpoint/records.js';
import type { Owner } from '../../src/lifecycle/owner.js';
import { findRunner, signalRunner } from '../../src/lifecycle/runner-process.js';
import { BOOT_MS, type FakeProcess, FakeProcesses } from './fake-processes.js';

const USER = 1000;
const DAEMON = 77;
const stat = (fields: Partial<Stats> = {}) =>
  ({ dev: 1, ino: 5, uid: USER, mode: 0o100644, nlink: 1, ...fields }) as Stats;
const STREAM = stat();
const ROOTS_STREAM = stat({ uid: 0 });
const USERS: Owner = { uid: USER, isWrittenByRoot: false, recordsSuffice: true };
const ROOTS: Owner = { uid: 0, isWrittenByRoot: true, recordsSuffice: true };
const READS = { isWritable: false };
const WRITES = { isWritable: true };
/** Recorded 200 seconds after the boot. */
const LAST: TaskStatus = {
  state: 'ACTIVE',
  timestamp_ms: BOOT_MS + 200_000,
  runner_pid: DAEMON,
  runner_uid: USER,
};

interface Case {
  process?: FakeProcess;
  stream?: Stats;
  last?: TaskStatus | undefined;
  owner?: Owner;
}

const machine = (process: FakeProcess | undefined, stream: Stats) => {
  const made = process && { holds: [[stream, WRITES] as const], ...process };
  return new FakeProcesses(made === undefined ? {} : { [DAEMON]: made });
};

const kindOf = ({ process, stream = STREAM, last = LAST, owner = USERS }: Case) =>
  findRunner(machine(process, stream), stream, last, owner).kind;

describe('the runner of a task', () => {
  test.each<[string, Case]>([
    ['of its user, holding the lock', { process: { uid: USER } }],
    ['also by a descriptor that only reads', { process: { uid: USER, holds: [[STREAM, READS]] } }],
    ['also if the clock was set since', { process: { uid: USER, started: 4000 } }],
    ['of a program of root’s that the user runs', { process: { uid: 0, realUid: USER } }],
    [
      'of root’s, recorded by root',
      { process: { uid: 0 }, stream: ROOTS_STREAM, last: { ...LAST, runner_uid: 0 } },
    ],
    [
      'of root’s, of a task of root’s',
      { process: { uid: 0 }, stream: ROOTS_STREAM, last: { ...LAST, runner_uid: 0 }, owner: ROOTS },
    ],
    [
      'of root’s, writing, though the clock was set since',
      {
        process: { uid: 0, started: 4000 },
        stream: ROOTS_STREAM,
        last: { ...LAST, runner_uid: 0 },
        owner: ROOTS,
      },
    ],
  ])('is it: %s', (_, given) => expect(kindOf(given)).toBe('runner'));

  test.each<[string, Case]>([
    ['a daemon of root’s that was passed a locked descriptor', { process: { uid: 0 } }],
    ['the same, recorded as root’s', { process: { uid: 0 }, last: { ...LAST, runner_uid: 0 } }],
    ['a daemon of root’s that acts for the user', { process: { uid: USER, realUid: 0 } }],
    ['a process of a third user', { process: { uid: 1001 } }],
    ['root’s, where the record says the user’s', { process: { uid: 0 }, stream: ROOTS_STREAM }],
    [
      'root’s, where a group may write the stream',
      { process: { uid: 0 }, stream: stat({ uid: 0, mode: 0o100664 }), last: { ...LAST, runner_uid: 0 } },
    ],
    [
      'root’s, where the stream has a second name',
      { process: { uid: 0 }, stream: stat({ uid: 0, nlink: 2 }), last: { ...LAST, runner_uid: 0 } },
    ],
    [
      'root’s, that started later and can only read',
      {
        process: { uid: 0, started: 211, holds: [[ROOTS_STREAM, READS]] },
        stream: ROOTS_STREAM,
        last: { ...LAST, runner_uid: 0 },
        owner: ROOTS,
      },
    ],
    ['in a pid namespace of its own', { process: { uid: USER, isForeign: true } }],
    ['dead', { process: { uid: USER, state: 'Z' } }],
    ['no pid is recorded', { process: { uid: USER }, last: { ...LAST, runner_pid: undefined } }],
  ])('is not it: %s', (_, given) => expect(kindOf(given)).toBe('unknown'));

  test('who has the stream open while somebody else holds the lock is not it, and who holds it is told', () => {
    const processes = machine({ uid: USER, holds: [] }, STREAM);
    processes.add(88, { uid: 1001, holds: [[STREAM, READS]] });
    const found = findRunner(processes, STREAM, LAST, USERS);
    expect(found).toEqual({
      kind: 'unknown',
      why: expect.stringContaining('held by process 88 of uid 1001'),
    });
  });

  test('a lock on another file is none', () => {
    const processes = machine({ uid: USER, holds: [[stat({ ino: 6 }), WRITES]] }, STREAM);
    expect(findRunner(processes, STREAM, LAST, USERS)).toEqual({ kind: 'none' });
  });

  test('where locks can’t be seen, who holds it is seen all the same', () => {
    const processes = machine({ uid: USER }, STREAM);
    processes.seesLocks = false;
    expect(findRunner(processes, STREAM, LAST, USERS).kind).toBe('runner');
    processes.remove(DAEMON);
    expect(findRunner(processes, STREAM, LAST, USERS).kind).toBe('none');
  });

  test('of a task that is over nobody is asked: who holds the lock is ending it, and may be a gc', () => {
    for (const state of ['SUCCESS', 'FAILED', 'KILLED', 'LOST'] as const) {
      expect(kindOf({ process: { uid: USER }, last: { ...LAST, state } })).toBe('ending');
    }
  });
});

describe('a signal to the runner', () => {
  const ask = (processes: FakeProcesses, last = LAST) =>
    signalRunner(processes, () => ({ stream: STREAM, last, owner: USERS }), 'SIGUSR1');

  test('is sent to it once', () => {
    const processes = machine({ uid: USER }, STREAM);
    expect(ask(processes)).toEqual({ kind: 'sent', pid: DAEMON });
    expect(processes.sent).toEqual([[DAEMON, 'SIGUSR1']]);
  });

  test('continues it if it is stopped, not if a debugger holds it or it is killed', () => {
    const stopped = machine({ uid: USER, state: 'T' }, STREAM);
    expect(ask(stopped)).toEqual({ kind: 'sent', pid: DAEMON, halt: 'stopped' });
    expect(stopped.sent).toEqual([
      [DAEMON, 'SIGUSR1'],
      [DAEMON, 'SIGCONT'],
    ]);
    const traced = machine({ uid: USER, state: 't' }, STREAM);
    expect(ask(traced)).toEqual({ kind: 'sent', pid: DAEMON, halt: 'traced' });
    expect(traced.sent).toEqual([[DAEMON, 'SIGUSR1']]);
    const killed = machine({ uid: USER, state: 'T' }, STREAM);
    signalRunner(killed, () => ({ stream: STREAM, last: LAST, owner: USERS }), 'SIGKILL');
    expect(killed.sent).toEqual([[DAEMON, 'SIGKILL']]);
  });

  test('waits a moment for a stream that is about to be made, and says that the task has not started', () => {
    const processes = machine({ uid: USER }, STREAM);
    const stream = () => (processes.clock() > 300 ? { stream: STREAM, last: LAST, owner: USERS } : undefined);
    expect(signalRunner(processes, stream, 'SIGUSR1')).toEqual({ kind: 'sent', pid: DAEMON });
    expect(signalRunner(processes, () => undefined, 'SIGUSR1')).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('it has not started'),
    });
    expect(processes.sent).toEqual([[DAEMON, 'SIGUSR1']]);
  });

  test('goes to nobody who got its pid right before', () => {
    const processes = machine({ uid: USER }, STREAM);
    let looks = 0;
    processes.onLook = () => {
      looks += 1;
      if (looks === 2) processes.add(DAEMON, { uid: USER, started: 150 });
    };
    ask(processes);
    expect(processes.sent).toEqual([]);
  });

  test('waits a moment for who has just taken the lock, and no longer', () => {
    const processes = machine({ uid: 1001 }, STREAM);
    const refused = ask(processes);
    expect(refused).toMatchObject({ kind: 'refused', why: expect.stringContaining('belongs to uid 1001') });
    expect(processes.clock()).toBeLessThan(5000);
    expect(processes.sent).toEqual([]);

    const later = new FakeProcesses({ 78: { uid: USER, holds: [[STREAM, WRITES]] } });
    const pause = later.pause.bind(later);
    let last = LAST;
    later.pause = (ms) => {
      pause(ms);
      if (later.clock() > 300) last = { ...LAST, runner_pid: 78 };
    };
    const answer = signalRunner(later, () => ({ stream: STREAM, last, owner: USERS }), 'SIGUSR2');
    expect(answer).toEqual({ kind: 'sent', pid: 78 });
  });
});
