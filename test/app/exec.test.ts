import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ExecMachine, execTarget, portVariables } from '../../src/app/exec.js';
import { Host } from '../../src/host/host.js';
import type { LiveProcess } from '../../src/lifecycle/live-processes.js';
import { RefusedError } from '../../src/store/refused.js';
import { TaskReader } from '../../src/task/reader.js';
import { tempDir } from '../e2e/harness.js';
import { makeProc, Records, writeTask } from '../task/trees.js';

const UID = 1000;

let temp: ReturnType<typeof tempDir>;
let root: string;
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
  const runner = new Records()
    .status('ACTIVE')
    .header({ task_id: 't', uid: UID, user: 'web', ports: { http: 80n, 'a-b': 81n } })
    .process('one', 'WAITING', 'FORKED', 'RUNNING')
    .process('two', 'WAITING', 'FORKED', 'RUNNING')
    .process('three', 'WAITING', 'FORKED', 'RUNNING', 'FAILED');
  writeTask(root, 't', { runner });
});
afterEach(() => temp.remove());

const ONE: LiveProcess = { pid: 11, startTimeTicks: 1, uid: UID, process: 'one' };
const TWO: LiveProcess = { pid: 12, startTimeTicks: 2, uid: UID, process: 'two' };
const DAEMON: LiveProcess = { pid: 13, startTimeTicks: 3, uid: UID };

/** A machine on which these processes are alive. */
function machine(live: readonly LiveProcess[], rest: Partial<ExecMachine> = {}): ExecMachine {
  const proc = makeProc(`${temp.path}/proc`, { locks: '' });
  return {
    euid: 0,
    look: (task) => new TaskReader(task, { history: false }).read(Host.local({ proc })),
    live: () => [...live],
    foreignTo: () => [],
    ...rest,
  };
}

interface Asked {
  process?: string;
  namespaces?: boolean;
}

function target(on: ExecMachine, { process, namespaces = true }: Asked = {}) {
  return execTarget({ roots: { root: [root] }, task: 't', process, namespaces }, on);
}

/** What is thrown: code, message, hint. */
function refusal(on: ExecMachine, asked: Asked = {}): unknown {
  try {
    return target(on, asked);
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint?: string };
    return [code, message, hint];
  }
}

const command = (name = 'exec') => `thermos ${name} --root ${root} t`;

describe('the process that a command is beside', () => {
  test('is the one that is named', () => {
    expect(target(machine([ONE, TWO]), { process: 'two' })).toMatchObject({ ...TWO, notice: undefined });
  });

  test('is the first of the task that is alive, in the order of the task', () => {
    expect(target(machine([TWO, ONE]))).toMatchObject({
      ...ONE,
      task_id: 't',
      ports: { THERMOS_PORT_http: '80', THERMOS_PORT_a_b: '81' },
      notice: 'beside process one; one, two are running',
    });
    expect(target(machine([DAEMON, TWO]))).toMatchObject({ ...TWO, notice: undefined });
  });

  test('is another process of the task if no command is alive', () => {
    expect(target(machine([DAEMON]))).toMatchObject({ ...DAEMON, notice: undefined });
  });
});

describe('nothing is run', () => {
  test('beside a process that there is not, or that is not alive', () => {
    expect(refusal(machine([ONE]), { process: 'tow' })).toEqual([
      'process-not-found',
      "task t has no process 'tow'",
      `did you mean two? a command comes after --: ${command()} -- tow`,
    ]);
    expect(refusal(machine([ONE]), { process: 'three' })).toEqual([
      'process-not-running',
      'process three of task t is not running: it is FAILED',
      'one is running',
    ]);
    expect(refusal(machine([ONE]), { process: 'two' })).toEqual([
      'process-not-running',
      'process two of task t is not running: it is recorded as RUNNING as pid 4194002, but no such process of the task can be found here',
      'one is running',
    ]);
  });

  test('if nothing of the task is alive', () => {
    expect(refusal(machine([]))).toEqual([
      'process-not-running',
      'no command can run in task t: none of its processes is running here at the moment',
      `its files are there: ${command('ls')}; its logs: ${command('tail')}`,
    ]);
    expect(refusal(machine([], { euid: UID }))).toMatchObject({ 2: `root may see more: sudo ${command()}` });
  });

  const asUser = () => `sudo -u web ${command()}, or as root: sudo ${command()}`;

  test('for a stranger, by what the task says and by what the process is', () => {
    expect(refusal(machine([ONE], { euid: 7 }))).toEqual([
      'exec-refused',
      'task t belongs to user web (uid 1000), and you are uid 7',
      asUser(),
    ]);
    expect(refusal(machine([{ ...ONE, uid: 8 }], { euid: UID }))).toEqual([
      'exec-refused',
      'process 11 belongs to uid 8, and you are uid 1000',
      asUser(),
    ]);
  });

  test('for a stranger to a task of root, with one command', () => {
    const runner = new Records().status('ACTIVE').header({ task_id: 't', uid: 0, user: 'root' });
    writeTask(root, 't', { runner: runner.process('one', 'WAITING', 'FORKED', 'RUNNING') });
    expect(refusal(machine([{ ...ONE, uid: 0 }], { euid: 7 }))).toEqual([
      'exec-refused',
      'task t belongs to user root (uid 0), and you are uid 7',
      `sudo ${command()}`,
    ]);
  });

  test('as another user than that of the task, but for one of root', () => {
    expect(refusal(machine([{ ...ONE, uid: 0 }]))).toEqual([
      'exec-refused',
      'process 11 belongs to uid 0, but the task to uid 1000',
      'a command runs only beside a process of the user of the task',
    ]);
    const runner = new Records()
      .status('ACTIVE')
      .header({ task_id: 't', uid: 0, user: 'root' })
      .process('one', 'WAITING', 'FORKED', 'RUNNING');
    writeTask(root, 't', { runner });
    expect(target(machine([ONE]))).toMatchObject(ONE);
  });

  test('for a user whom the system or the store does not let read the checkpoint', () => {
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES' });
    const refusing = (error: Error, euid: number) =>
      refusal(
        machine([], {
          euid,
          live: () => {
            throw error;
          },
        }),
      );
    expect(refusing(denied, UID)).toEqual([
      'exec-refused',
      'you may not read the checkpoint of task t',
      asUser(),
    ]);
    expect(refusing(denied, 0)).toMatchObject({ 0: 'checkpoint-unreadable' });
    expect(refusing(new RefusedError('ELINK', 'it is a link'), 0)).toMatchObject({
      0: 'checkpoint-unreadable',
    });
  });

  test('in namespaces and a root directory that only root can enter, unless it is to stay outside', () => {
    const foreign = machine([ONE], { euid: UID, foreignTo: () => ['mnt', 'pid', 'root'] });
    expect(refusal(foreign)).toEqual([
      'exec-refused',
      'process one has other namespaces (mnt, pid) and another root directory, which only root can enter',
      `as root: sudo ${command()}; or stay outside with --no-namespaces`,
    ]);
    expect(refusal({ ...foreign, foreignTo: () => undefined })).toEqual([
      'exec-refused',
      'the system does not show the namespaces of process one to you',
      `as root: sudo ${command()}`,
    ]);
    expect(target(foreign, { namespaces: false })).toMatchObject(ONE);
    expect(target({ ...foreign, euid: 0 })).toMatchObject(ONE);
  });
});

test('every port has a variable that a shell can read', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.nat()), (ports) => {
      for (const [name, value] of Object.entries(portVariables(ports))) {
        expect(name).toMatch(/^THERMOS_PORT_\w*$/);
        expect(Object.values(ports).map(String)).toContain(value);
      }
    }),
  );
});
