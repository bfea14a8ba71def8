import { chmodSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { liveProcesses } from '../../src/lifecycle/live-processes.js';
import { tempDir } from '../e2e/harness.js';
import { Records, writeTask } from '../task/trees.js';
import { BOOT_MS, type FakeProcess, FakeProcesses } from './fake-processes.js';

/** Root's own tasks may have processes of any user. */
const UID = process.getuid?.() || 1000;
const OTHER = UID + 1;
const SECONDS = BOOT_MS / 1000 + 100;
const TICKS = 10_000;

let temp: ReturnType<typeof tempDir>;
let root: string;
let directory: string;
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
  const header = { task_id: 't', uid: UID, sandbox: `${root}/sandbox`, log_dir: `${root}/sandbox/.logs` };
  const runner = new Records()
    .status('ACTIVE')
    .header(header)
    .process('over', 'WAITING', { state: 'FORKED', fork_time: SECONDS, coordinator_pid: 90 })
    .process('over', { state: 'RUNNING', start_time: SECONDS, pid: 91 }, 'SUCCESS')
    .process('web', 'WAITING', { state: 'FORKED', fork_time: SECONDS, coordinator_pid: 100 });
  const coordinators = {
    web: runner.coordinator('web', { state: 'RUNNING', start_time: SECONDS, pid: 101 }),
  };
  directory = writeTask(root, 't', { runner, coordinators });
});
afterEach(() => temp.remove());

const live = (processes: Record<number, FakeProcess>) =>
  liveProcesses(
    { root, taskId: 't' },
    { sandbox: `${root}/sandbox`, logDir: `${root}/sandbox/.logs` },
    new FakeProcesses(processes),
  );

const COORDINATOR = { uid: UID };
const COMMAND = { uid: UID, parent: 100, session: 100 };

describe('the live processes of a task', () => {
  test('are commands first, then what they started, and no coordinators', () => {
    const found = live({
      90: { uid: UID },
      92: { uid: UID, parent: 90, session: 90 },
      100: COORDINATOR,
      101: COMMAND,
      102: { uid: UID, parent: 101, session: 100 },
      200: { uid: UID, session: 200 },
    });
    expect(found).toEqual([
      { pid: 101, startTimeTicks: TICKS, uid: UID, process: 'web' },
      { pid: 92, startTimeTicks: TICKS, uid: UID, process: undefined },
      { pid: 102, startTimeTicks: TICKS, uid: UID, process: undefined },
    ]);
  });

  test('are none if the pids are of others by now', () => {
    expect(live({ 101: { ...COMMAND, started: 9999 } })).toEqual([]);
    expect(live({ 101: { ...COMMAND, uid: OTHER } })).toEqual([]);
    expect(live({ 100: COORDINATOR, 101: { ...COMMAND, state: 'Z' } })).toEqual([]);
    expect(live({})).toEqual([]);
  });

  test('are not looked for by files that others can write', () => {
    chmodSync(`${directory}/runner`, 0o666);
    expect(() => live({ 100: COORDINATOR, 101: COMMAND })).toThrow(
      'somebody else may have written its files',
    );
  });
});

describe('in a pid namespace below ours', () => {
  const stream = () => statSync(`${directory}/coordinator.web`);
  const holds = () => [[stream(), { isWritable: true }]] as const;
  const coordinator = () => ({ uid: UID, innerPid: 100, holds: holds() });
  const command = { uid: UID, parent: 5000, session: 5000, innerPid: 101 };

  test('the command is the child of whoever holds the lock, with the recorded pids', () => {
    expect(live({ 5000: coordinator(), 5001: command })).toEqual([
      { pid: 5001, startTimeTicks: TICKS, uid: UID, process: 'web' },
    ]);
  });

  test.each<[string, () => Record<number, FakeProcess>]>([
    ['nobody holds the lock', () => ({ 5000: { ...coordinator(), holds: [] }, 5001: command })],
    [
      'its holder is of another user',
      () => ({
        5000: { ...coordinator(), uid: OTHER, holds: [[stream(), { isWritable: false }]] },
        5001: command,
      }),
    ],
    ['its holder has another pid there', () => ({ 5000: { ...coordinator(), innerPid: 99 }, 5001: command })],
    ['its holder leads no session', () => ({ 5000: { ...coordinator(), session: 1 }, 5001: command })],
    ['the child has another pid there', () => ({ 5000: coordinator(), 5001: { ...command, innerPid: 7 } })],
    ['it is the child of another', () => ({ 5000: coordinator(), 5001: { ...command, parent: 1 } })],
    ['it is older than its parent', () => ({ 5000: coordinator(), 5001: { ...command, started: 99 } })],
    [
      'it is not in another namespace',
      () => ({ 5000: coordinator(), 5001: { ...command, innerPid: undefined } }),
    ],
  ])('it is none if %s', (_, processes) => {
    expect(live(processes())).toEqual([]);
  });
});
