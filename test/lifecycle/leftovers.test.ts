import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.js';
import { encodeBoot, encodeStart } from '../../src/layout/starts.js';
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

  const keepStarts = (boot = Host.local().bootId() as string, mode = 0o644) => {
    const starts = [
      { pid: 100, time: SECONDS, ticks: 360_000 },
      { pid: 101, time: SECONDS, ticks: 360_001 },
    ];
    const path = `${directory}/starts`;
    writeFileSync(path, encodeBoot(boot) + starts.map(encodeStart).join(''));
    chmodSync(path, mode);
  };

  test('is known by its exact start if that was kept, also if the clock was set by an hour', () => {
    keepStarts();
    const processes = new FakeProcesses({ 101: { uid: UID, session: 100, started: 3600.01 } });
    expect(end(processes)).toEqual({ signalled: [101], problems: [] });
  });

  test('is nothing if the process with the pid started at the recorded time, but not exactly then', () => {
    const strangers = () =>
      new FakeProcesses({ 100: { uid: UID, started: 105 }, 101: { uid: UID, started: 100 } });
    expect(end(strangers()).signalled).toHaveLength(2);
    keepStarts();
    const processes = strangers();
    expect(end(processes)).toEqual({ signalled: [], problems: [] });
    expect(processes.sent).toEqual([]);
  });

  test('is nothing after a boot, whatever the clock says', () => {
    keepStarts('another');
    const processes = new FakeProcesses({ 100: { uid: UID }, 101: { uid: UID } });
    expect(end(processes)).toEqual({ signalled: [], problems: [] });
  });

  test('is known by the recorded times if somebody else may have written the exact starts, and that is told', () => {
    keepStarts(undefined, 0o666);
    const { signalled, problems } = end(new FakeProcesses({ 100: { uid: UID, started: 105 } }));
    expect(signalled).toEqual([100]);
    expect(problems).toMatchObject([{ code: 'starts-unreadable', severity: 'warning', task_id: 't' }]);
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
