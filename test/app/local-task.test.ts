import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EndProgress } from '../../src/app/end-task.js';
import { LocalTask } from '../../src/app/local-task.js';
import { RecordLister } from '../../src/checkpoint/follow.js';
import { Host } from '../../src/host/host.js';
import { tempDir } from '../e2e/harness.js';
import { BOOT_MS, type FakeProcess, FakeProcesses } from '../lifecycle/fake-processes.js';
import { foundTask, lockLine, makeProc, Records, writeTask } from '../task/trees.js';

const UID = process.getuid?.() ?? 0;
const SECONDS = BOOT_MS / 1000 + 100;

let temp: ReturnType<typeof tempDir>;
let root: string;
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
});
afterEach(() => temp.remove());

/** A task whose runner has gone, while the command of one process still runs. */
function orphan(processes: FakeProcesses, onSleep: (ms: number) => void = () => {}): LocalTask {
  const header = { task_id: 't', uid: UID, sandbox: `${root}/sandbox`, log_dir: `${root}/sandbox/.logs` };
  const runner = new Records()
    .status('ACTIVE')
    .header(header)
    .process(
      'web',
      'WAITING',
      { state: 'FORKED', fork_time: SECONDS, coordinator_pid: 100 },
      { state: 'RUNNING', start_time: SECONDS, pid: 101 },
    );
  writeTask(root, 't', { runner });
  const proc = makeProc(`${temp.path}/proc`, { locks: '' });
  return new LocalTask(foundTask(root, 't'), {
    now: () => BOOT_MS + processes.clock(),
    coordinator: { script: '/nowhere' },
    host: () => Host.local({ proc }),
    processes,
    async sleep(ms) {
      processes.pause(ms);
      onSleep(ms);
    },
  });
}

function living(rest: FakeProcess = {}): FakeProcesses {
  return new FakeProcesses({
    100: { uid: UID, ...rest },
    101: { uid: UID, parent: 100, session: 100, ...rest },
  });
}

function states(): unknown[] {
  const found: unknown[] = [];
  const lister = new RecordLister(({ type, value }) => {
    if (type !== 'runner_header') found.push(value.state);
  });
  const bytes = readFileSync(`${root}/checkpoints/t/runner`);
  lister.feed(bytes, 0, bytes.length);
  return found;
}

const nothing = (): EndProgress => ({ signalled: [], problems: [] });

describe('a task without a runner', () => {
  test('is asked to end, and recorded when it has', async () => {
    const processes = living();
    const task = orphan(processes, () => {
      if (processes.clock() < 1000) return;
      processes.remove(100);
      processes.remove(101);
    });
    const ending = nothing();
    await task.endOrphan({ state: 'KILLED', wait: 30 }, ending);
    expect(ending).toEqual({ signalled: [100, 101], problems: [] });
    expect(processes.sent.filter(([, signal]) => signal === 'SIGKILL')).toEqual([]);
    expect(processes.sent).toContainEqual([101, 'SIGTERM']);
    expect(processes.clock()).toBe(1000);
    expect(states().slice(-3)).toEqual(['CLEANING', 'LOST', 'KILLED']);
    expect(existsSync(`${root}/tasks/finished/t`)).toBe(true);
  });

  test('is killed when its time is over', async () => {
    const processes = living();
    const ending = nothing();
    await orphan(processes).endOrphan({ state: 'KILLED', wait: 2 }, ending);
    expect(ending.signalled).toEqual([100, 101]);
    expect(Math.round(processes.clock() / 100)).toBe(20);
    expect(processes.sent).toContainEqual([101, 'SIGKILL']);
    expect(states().slice(-3)).toEqual(['CLEANING', 'KILLED', 'KILLED']);
  });

  test.each([
    ['at once', { state: 'KILLED', wait: 30, now: true }, 'KILLED'],
    ['to be lost', { state: 'LOST', wait: 0 }, 'LOST'],
  ] as const)('is given no time %s', async (_, request, state) => {
    const processes = living();
    await orphan(processes).endOrphan(request, nothing());
    expect(processes.clock()).toBeLessThan(100);
    expect(states().slice(3)).toEqual(['RUNNING', 'KILLED', state]);
  });

  test('whose stream is damaged is killed, and nothing is recorded', async () => {
    const processes = living();
    const task = orphan(processes);
    appendFileSync(`${root}/checkpoints/t/runner`, Buffer.from([0, 0, 0, 2, 0xff, 0xff]));
    const ending = nothing();
    await expect(task.endOrphan({ state: 'KILLED', wait: 30 }, ending)).rejects.toMatchObject({
      code: 'checkpoint-damaged',
    });
    expect(ending.signalled).toEqual([100, 101]);
    expect(states().at(-1)).toBe('RUNNING');
  });
});

describe('a runner that is waited for', () => {
  test('has gone', async () => {
    expect(await orphan(living()).waitForRunner(60_000)).toBe('gone');
  });

  test('lives, and is out of time', async () => {
    const task = orphan(living());
    const locks = lockLine(statSync(`${root}/checkpoints/t/runner`), 4_194_000);
    makeProc(`${temp.path}/proc`, { locks, processes: { 4194000: {} } });
    expect(await task.waitForRunner(0)).toBe('lives');
  });

  test('has ended the task', async () => {
    const task = orphan(living());
    renameSync(`${root}/tasks/active/t`, `${root}/tasks/finished/t`);
    appendFileSync(`${root}/checkpoints/t/runner`, new Records().status('KILLED').bytes());
    expect(await task.waitForRunner(60_000)).toBe('over');
  });
});
