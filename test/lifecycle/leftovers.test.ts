import { chmodSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endLeftovers } from '../../src/lifecycle/leftovers.js';
import { tempDir } from '../e2e/harness.js';
import { Records, writeTask } from '../task/trees.js';
import { BOOT_MS, FakeProcesses } from './fake-processes.js';

const UID = process.getuid?.() ?? 0;
const SECONDS = BOOT_MS / 1000 + 100;

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
    .process(
      'p',
      'WAITING',
      { state: 'FORKED', fork_time: SECONDS, coordinator_pid: 100 },
      { state: 'RUNNING', start_time: SECONDS, pid: 101 },
      'SUCCESS',
    )
    .status('SUCCESS');
  directory = writeTask(root, 't', { phase: 'finished', runner });
});
afterEach(() => temp.remove());

const end = (processes: FakeProcesses, taskId = 't') =>
  endLeftovers({ root, taskId }, { sandbox: `${root}/sandbox`, logDir: `${root}/sandbox/.logs` }, processes);

describe('what lives on of a task that is over', () => {
  test('is killed if it is certainly the task’s, and nothing is recorded', () => {
    const stream = `${directory}/runner`;
    const before = statSync(stream);
    const processes = new FakeProcesses({
      100: { uid: UID },
      101: { uid: UID, parent: 100, session: 100 },
      102: { uid: UID, session: 999 },
    });
    const { signalled, problems } = end(processes);
    expect([...signalled].sort()).toEqual([100, 101]);
    expect(problems).toEqual([]);
    expect(processes.has(102)).toBe(true);
    expect(statSync(stream)).toMatchObject({ size: before.size, mtimeMs: before.mtimeMs });
  });

  test('is nothing if another process has the pid by now', () => {
    const processes = new FakeProcesses({ 100: { uid: UID, started: 9999 } });
    expect(end(processes).signalled).toEqual([]);
    expect(processes.sent).toEqual([]);
  });

  test('is left alone if somebody else may have written the stream', () => {
    chmodSync(`${directory}/runner`, 0o666);
    const processes = new FakeProcesses({ 100: { uid: UID } });
    expect(end(processes)).toMatchObject({
      signalled: [],
      problems: [{ code: 'task-untrusted', severity: 'error', task_id: 't' }],
    });
    expect(processes.sent).toEqual([]);
  });

  test('cannot be told without a stream', () => {
    expect(end(new FakeProcesses(), 'none')).toMatchObject({
      signalled: [],
      problems: [{ code: 'checkpoint-unreadable', task_id: 'none' }],
    });
  });
});
