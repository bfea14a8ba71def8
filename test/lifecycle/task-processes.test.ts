import type { Stats } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ExactStarts } from '../../src/layout/starts.js';
import type { RecordedRun, RunTrace } from '../../src/lifecycle/own-processes.js';
import type { Owner } from '../../src/lifecycle/owner.js';
import { type Marks, TaskProcesses, traceOf } from '../../src/lifecycle/task-processes.js';
import { BOOT_MS, type FakeProcess, FakeProcesses } from './fake-processes.js';

const USER = 1000;
const stream = (fields: Partial<Stats> = {}) =>
  ({ dev: 1, ino: 5, uid: USER, mode: 0o100644, nlink: 1, ...fields }) as Stats;
const USERS: Owner = { uid: USER, isWrittenByRoot: false, recordsSuffice: true };
const ROOTS: Owner = { uid: USER, isWrittenByRoot: true, recordsSuffice: true };
const MESOS: Owner = { uid: USER, isWrittenByRoot: false, recordsSuffice: false };
const RUN: RecordedRun = {
  process: 'p',
  coordinator_pid: 100,
  fork_time: BOOT_MS / 1000 + 100,
  pid: 101,
  start_time: BOOT_MS / 1000 + 100,
};
const LOG = '/sandbox/.logs/p/0/stdout';

function taskOf(processes: FakeProcesses, owner: Owner = USERS, rest: Partial<Marks> = {}): TaskProcesses {
  return new TaskProcesses(processes, {
    owner,
    coordinator: (process) => (process === 'p' ? stream() : undefined),
    starts: new ExactStarts(),
    home: '/sandbox',
    logDir: '/sandbox/.logs',
    sharing: { processes: () => undefined },
    ...rest,
  });
}

const COORDINATOR: FakeProcess = {};
const COMMAND: FakeProcess = { parent: 100, session: 100 };
const killed = ({ sent }: FakeProcesses) =>
  sent.filter(([, signal]) => signal === 'SIGKILL').map(([pid]) => pid);
const codes = (problems: readonly { code: string }[]) => problems.map(({ code }) => code);

describe('who is killed', () => {
  test('the coordinator, its command and what descends from them', () => {
    const processes = new FakeProcesses({ 100: COORDINATOR, 101: COMMAND, 300: { parent: 101 }, 400: {} });
    const { alive, problems } = taskOf(processes).endAll([traceOf(RUN)]);
    expect([[...alive], killed(processes), problems]).toEqual([[100, 101, 300], [100, 101, 300], []]);
    expect(processes.has(400)).toBe(true);
  });

  test('what was in its session before its coordinator ended, whatever it has become, but not who has its pid now', () => {
    const processes = new FakeProcesses({ 100: COORDINATOR, 101: COMMAND, 102: COMMAND, 103: COMMAND });
    const task = taskOf(processes);
    task.terminate([RUN], [traceOf(RUN)]);
    for (const pid of [100, 101]) processes.remove(pid);
    processes.add(102, { session: 102 });
    processes.add(103, { started: 200 });
    const { problems } = task.endAll([traceOf(RUN)]);
    expect([killed(processes), problems]).toEqual([[102], []]);
  });

  test('what is left in a session without its coordinator, if it is marked, also after the clock was set back', () => {
    const left: FakeProcess = { session: 100, started: 60 };
    const processes = new FakeProcesses({ 102: { ...left, home: '/sandbox' }, 103: left });
    const { alive, problems } = taskOf(processes).endAll([traceOf(RUN)]);
    expect([killed(processes), [...alive]]).toEqual([[102], [102]]);
    expect(problems.map(({ message }) => message)).toEqual([
      'process 103 was left alone: it is in session 100, but nothing else shows that it belongs to the task',
    ]);
  });

  test('no daemon that seems to be older than the task, but if it writes to its logs, it is told', () => {
    const old: FakeProcess = { started: 60, home: '/sandbox' };
    const processes = new FakeProcesses({ 500: { ...old, outputs: [LOG] }, 501: old });
    const { problems } = taskOf(processes).endAll([traceOf(RUN)]);
    expect(killed(processes)).toEqual([]);
    expect(problems).toMatchObject([
      { code: 'signal-refused', message: expect.stringMatching(/^process 500 .*was the clock set back\?$/) },
    ]);
  });

  test('nobody who merely has a lock of the task, whatever is recorded of him', () => {
    const holds = [[stream(), { isWritable: true }]] as const;
    for (const daemon of [
      { uid: 0, holds },
      { uid: 0, holds, started: 100 },
      { uid: 0, holds: [[stream(), { isWritable: false }]] as const },
      { uid: 1001, holds },
    ]) {
      const processes = new FakeProcesses({ 100: daemon, 101: { ...COMMAND, uid: daemon.uid } });
      taskOf(processes).endAll([traceOf(RUN)]);
      expect(killed(processes)).toEqual([]);
    }
  });

  test('a coordinator that is root’s yet, if only root can have locked its stream', () => {
    const roots = stream({ uid: 0 });
    const coordinator = () => roots;
    const yet = (isWritable: boolean, started = 100) =>
      new FakeProcesses({ 100: { uid: 0, started, holds: [[roots, { isWritable }]] } });
    const ends = (processes: FakeProcesses) => {
      taskOf(processes, ROOTS, { coordinator }).endAll([traceOf(RUN)]);
      return killed(processes);
    };
    expect(ends(yet(true))).toEqual([100]);
    expect(ends(yet(false))).toEqual([]);
    expect(ends(yet(true, 200))).toEqual([]);
  });

  test('a process of the user’s that is root’s in truth is not, and it is said', () => {
    const processes = new FakeProcesses({ 100: { realUid: 0 }, 101: COMMAND });
    const { alive, problems } = taskOf(processes).endAll([traceOf(RUN)]);
    expect([killed(processes), [...alive]]).toEqual([[101], [101]]);
    expect(problems).toMatchObject([{ code: 'signal-refused', severity: 'error' }]);
  });

  test('what a task of the user’s has root do is killed on root’s word only', () => {
    const made = () => new FakeProcesses({ 100: COORDINATOR, 101: COMMAND, 102: { parent: 101, uid: 0 } });
    const users = made();
    expect(codes(taskOf(users).endAll([traceOf(RUN)]).problems)).toEqual(['signal-refused']);
    expect(killed(users)).toEqual([100, 101]);
    const roots = made();
    taskOf(roots, ROOTS).endAll([traceOf(RUN)]);
    expect(killed(roots)).toEqual([100, 101, 102]);
  });

  test('a recorded pid in a pid namespace of its own is another’s here', () => {
    const processes = new FakeProcesses({ 100: { isForeign: true }, 101: { isForeign: true } });
    taskOf(processes).endAll([traceOf(RUN)]);
    expect(killed(processes)).toEqual([]);
  });

  test('who got the pid right before the signal is spared', () => {
    const processes = new FakeProcesses({ 100: COORDINATOR, 101: COMMAND });
    const table = processes.table.bind(processes);
    processes.table = () => {
      const rows = table();
      if (processes.looks === 1) processes.add(101, { started: 101.5 });
      return rows;
    };
    taskOf(processes).endAll([{ ...traceOf(RUN), pid: undefined }]);
    expect([killed(processes), processes.has(101)]).toEqual([[100], true]);
  });

  test('with the Mesos layout a record alone proves nothing: root in a container may have written it', () => {
    const ends = (coordinator: FakeProcess, command: FakeProcess) => {
      const processes = new FakeProcesses({ 100: coordinator, 101: { session: 99, ...command } });
      const { problems } = taskOf(processes, MESOS).endAll([traceOf(RUN)]);
      return [killed(processes), codes(problems)];
    };
    expect(ends(COORDINATOR, {})).toEqual([[], ['signal-refused']]);
    expect(ends(COORDINATOR, { outputs: [LOG] })).toEqual([[101], []]);
    expect(ends({ holds: [[stream(), { isWritable: true }]] }, {})).toEqual([[100], ['signal-refused']]);
    expect(ends({ holds: [[stream(), { isWritable: true }]] }, COMMAND)).toEqual([[100, 101], []]);
  });
});

describe('how long', () => {
  test('what is started by the dying is killed, too', () => {
    const avenger: FakeProcess = { parent: 100, session: 100, started: 100 };
    const processes = new FakeProcesses({ 100: { ...COORDINATOR, avenger: [102, avenger] }, 101: COMMAND });
    taskOf(processes).endAll([traceOf(RUN)]);
    // Its session has lost its leader by then: only its mark tells that it is the task's.
    expect(killed(processes)).toEqual([100, 101]);
    const marked = new FakeProcesses({
      100: { ...COORDINATOR, avenger: [102, { ...avenger, outputs: [LOG] }] },
      101: COMMAND,
    });
    taskOf(marked).endAll([traceOf(RUN)]);
    expect(killed(marked)).toEqual([100, 101, 102]);
  });

  test('one that does not end is told after a while', () => {
    const processes = new FakeProcesses({ 100: { isDeathless: true } });
    const { problems } = taskOf(processes).endAll([traceOf(RUN)]);
    expect(problems).toMatchObject([{ code: 'process-unending', severity: 'error' }]);
    expect(processes.clock()).toBeLessThan(6000);
  });

  test('who forks faster than he is killed is not followed for ever', () => {
    const processes = new FakeProcesses({ 100: COORDINATOR });
    let next = 1000;
    const fork = () => processes.add(next++, { session: 100, started: 100 + next / 100, outputs: [LOG] });
    fork();
    processes.onSignal = fork;
    const { problems } = taskOf(processes).endAll([traceOf(RUN)]);
    expect(new Set(codes(problems))).toEqual(new Set(['process-unending']));
    expect(processes.clock()).toBeLessThan(60_000);
  });

  test('many processes are found in few looks at the table, and each is asked for its mark once a look', () => {
    const processes = new FakeProcesses();
    const traces: RunTrace[] = [];
    for (let i = 0; i < 3000; i++) {
      const coordinatorPid = 10_000 + 2 * i;
      const parent = i === 0 ? 1 : coordinatorPid - 1;
      processes.add(coordinatorPid, { parent });
      processes.add(coordinatorPid + 1, { parent: coordinatorPid, session: coordinatorPid });
      traces.push({ process: `p${i}`, coordinatorPid, forkTime: RUN.fork_time, pid: coordinatorPid + 1 });
    }
    const began = process.cpuUsage();
    const { alive } = taskOf(processes).endAll(traces);
    expect([alive.size, processes.looks]).toEqual([6000, 2]);
    // What is quadratic takes 36,000,000 steps.
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000).toBeLessThan(4000);
  });
});

describe('who is asked to end', () => {
  test('commands and what others left behind, not coordinators', () => {
    const processes = new FakeProcesses({
      100: COORDINATOR,
      101: COMMAND,
      102: { parent: 101, session: 100 },
      500: { session: 499, outputs: [LOG] },
    });
    expect(taskOf(processes).terminate([RUN], [traceOf(RUN)])).toEqual([]);
    expect(processes.sent).toEqual([
      [101, 'SIGTERM'],
      [500, 'SIGTERM'],
    ]);
  });

  test('whoever of the task is stopped is continued afterwards, coordinators and children too', () => {
    const stopped = { state: 'T' };
    const processes = new FakeProcesses({
      100: { ...COORDINATOR, ...stopped },
      101: { ...COMMAND, ...stopped },
      102: { parent: 101, session: 100, ...stopped },
      103: { parent: 101, session: 100, state: 't' },
      400: stopped,
      500: { session: 499, outputs: [LOG], ...stopped },
    });
    taskOf(processes).terminate([RUN], [traceOf(RUN)]);
    const continued = [100, 101, 102, 500].map((pid) => [pid, 'SIGCONT']);
    expect(processes.sent).toEqual([[101, 'SIGTERM'], [500, 'SIGTERM'], ...continued]);

    processes.sent.splice(0);
    taskOf(processes).terminateCommand(RUN);
    const ofRun = [101, 100, 102].map((pid) => [pid, 'SIGCONT']);
    expect(processes.sent).toEqual([[101, 'SIGTERM'], ...ofRun]);
  });

  test('not a process of somebody else', () => {
    const processes = new FakeProcesses({ 100: COORDINATOR, 101: { ...COMMAND, uid: 0 } });
    expect(codes(taskOf(processes).terminate([RUN], [traceOf(RUN)]))).toEqual(['signal-refused']);
    expect(processes.sent).toEqual([]);
  });
});
