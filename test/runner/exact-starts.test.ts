import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.js';
import { processRow } from '../../src/host/process-table.js';
import { type ExactStarts, encodeBoot, encodeStart, parseStarts } from '../../src/layout/starts.js';
import { endOrphan } from '../../src/lifecycle/end-orphan.js';
import { LOCAL_PROCESSES } from '../../src/lifecycle/local-processes.js';
import type { NewTask } from '../../src/runner/api.js';
import { openTask, takeOver } from '../../src/runner/runner.js';
import { MaterialReader } from '../../src/task/material.js';
import { viewOf } from '../../src/task/view.js';
import { tempDir } from '../e2e/harness.js';
import { seesAllLocks } from '../e2e/tasks.js';
import { foundTask } from '../task/trees.js';
import { recordsOf, SETTINGS, storyOf, taskOf } from './harness.js';

let temp: ReturnType<typeof tempDir>;
beforeAll(() => {
  temp = tempDir();
});
afterAll(() => temp.remove());

const HOUR = 3_600_000;
const CMDLINE = 'echo $$ > pid.new; mv pid.new pid; until [ -e end ]; do sleep 0.02; done';
const bootTimeMs = () => Host.local().bootTimeMs as number;
const streamOf = ({ root }: NewTask) => join(root, 'checkpoints/task/runner');
const fileOf = ({ root }: NewTask) => join(root, 'checkpoints/task/starts');
const kept = (spec: NewTask): ExactStarts =>
  parseStarts(readFileSync(fileOf(spec), 'utf8'), Host.local().bootId());
const ticksOf = (pid: number) => processRow(pid)?.startTimeTicks;

const LONGEST_MS = 60_000;

/** Resolves when the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + LONGEST_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not so: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

interface Started {
  readonly spec: NewTask;
  readonly pid: number;
  readonly start_time: number;
  readonly coordinator_pid: number;
  readonly fork_time: number;
}

/** A task whose runner, by this clock, has started a process and given up. */
async function abandoned(name: string, now: () => number, before = ''): Promise<Started> {
  const place = join(temp.path, name);
  const task = taskOf([{ name: 'p', cmdline: `${before}\n${CMDLINE}` }]);
  const spec = { root: join(place, 'root'), taskId: 'task', sandbox: join(place, 'sandbox'), task };
  const run: Record<string, unknown> = {};
  const runner = openTask(
    spec,
    { ...SETTINGS, now },
    { record: ({ value }) => void Object.assign(run, value) },
  );
  runner.run().catch(() => {});
  await until(() => run.state === 'RUNNING' && existsSync(join(spec.sandbox, 'pid')));
  await until(() => kept(spec).of(run.pid as number, run.start_time as number) !== undefined);
  runner.close();
  return { spec, ...(run as unknown as Omit<Started, 'spec'>) };
}

/** As `status` reads it. */
const look = ({ root }: NewTask) =>
  viewOf(new MaterialReader(foundTask(root, 'task'), { history: false }).gather(Host.local()));

/** As `kill` ends a task without a runner. */
function end({ root, sandbox }: NewTask) {
  const logDir = join(sandbox, '.logs');
  const place = { root, taskId: 'task' };
  return endOrphan(place, { sandbox, logDir }, 'KILLED', Date.now, LOCAL_PROCESSES, () => true);
}

const CLOCKS: readonly (readonly [string, () => number])[] = [
  ['was set back by an hour meanwhile', () => Date.now() + HOUR],
  ['was set forward by an hour meanwhile', () => Date.now() - HOUR],
  ['was set forward past the boot meanwhile', () => bootTimeMs() - HOUR],
];

describe.each(CLOCKS)('a clock that %s', (what, now) => {
  test('makes no process of a task a stranger: status shows it, the next runner takes it over', async () => {
    const started = await abandoned(`resumed ${what}`, now);
    const { spec, pid, coordinator_pid, start_time, fork_time } = started;
    const starts = kept(spec);
    expect(starts.of(process.pid)).toBe(ticksOf(process.pid));
    expect(starts.of(coordinator_pid, fork_time)).toBe(ticksOf(coordinator_pid));
    expect(starts.of(pid, start_time)).toBe(ticksOf(pid));
    if (seesAllLocks()) {
      expect(look(spec)).toMatchObject({ verdict: 'runner-gone', leftovers: [coordinator_pid, pid] });
    }
    const running = openTask(spec, SETTINGS).run();
    writeFileSync(join(spec.sandbox, 'end'), '');
    expect(await running).toEqual({ state: 'SUCCESS', problems: [] });
    const { processes } = storyOf(recordsOf(streamOf(spec)));
    expect(processes).toEqual({ p: ['0 WAITING', '1 FORKED', '2 RUNNING', '3 SUCCESS 0'] });
  });

  test('lets a kill find the processes of a task, also without their coordinator', async () => {
    const { spec, pid, coordinator_pid } = await abandoned(`killed ${what}`, now);
    process.kill(coordinator_pid, 'SIGKILL');
    await until(
      () => processRow(coordinator_pid) === undefined || processRow(coordinator_pid)?.state === 'Z',
    );
    const { result, killed, problems } = end(spec);
    expect([result, problems]).toEqual(['done', []]);
    expect(killed).toContain(pid);
    await until(() => ticksOf(pid) === undefined || processRow(pid)?.state === 'Z');
  });
});

/** Leaves its pid in the file `left`, and has nothing of the task in its environment or among its files. */
const LEFT = `echo $BASHPID > left.new; mv left.new left; cd /; exec env -i /bin/sleep 1000 < /dev/null > /dev/null 2>&1`;
const leftBy = async ({ sandbox }: NewTask) => {
  await until(() => existsSync(join(sandbox, 'left')));
  return Number(readFileSync(join(sandbox, 'left'), 'utf8'));
};
const isGone = (pid: number) => (processRow(pid)?.state ?? 'Z') === 'Z';

test('what a command leaves in its session is found also if its coordinator was killed', async () => {
  const { spec, coordinator_pid } = await abandoned('in-session', Date.now, `( ( ${LEFT} ) & )`);
  const pid = await leftBy(spec);
  process.kill(coordinator_pid, 'SIGKILL');
  await until(() => isGone(coordinator_pid));
  const { result, killed, problems } = end(spec);
  expect([result, problems]).toEqual(['done', []]);
  expect(killed).toContain(pid);
  await until(() => isGone(pid));
});

test.skipIf(SETTINGS.coordinator.native === undefined)(
  'what daemonizes under the coordinator in C is ended by the runner that resumes the task',
  async () => {
    const { spec } = await abandoned('daemonized', Date.now, `setsid bash -c '( ${LEFT} ) &'`);
    const pid = await leftBy(spec);
    const runner = takeOver({ root: spec.root, taskId: 'task' }, SETTINGS);
    runner.kill({ state: 'KILLED' });
    expect(await runner.run()).toEqual({ state: 'KILLED', problems: [] });
    await until(() => isGone(pid));
  },
);

test('a stranger with the recorded pid that started seconds after the process is left alone', async () => {
  const { spec, pid, coordinator_pid, start_time, fork_time } = await abandoned('strangers', Date.now);
  // As if both had ended, and two others had got their pids.
  const others = [
    { pid: coordinator_pid, time: fork_time, ticks: (ticksOf(coordinator_pid) as number) - 300 },
    { pid, time: start_time, ticks: (ticksOf(pid) as number) - 300 },
  ];
  rmSync(join(spec.root, 'checkpoints/task/coordinator.p'));
  writeFileSync(fileOf(spec), encodeBoot(Host.local().bootId() as string) + others.map(encodeStart).join(''));
  if (seesAllLocks()) expect(look(spec).leftovers).toEqual([]);
  const place = { root: spec.root, taskId: 'task' };
  const elsewhere = join(temp.path, 'elsewhere');
  const { killed } = endOrphan(
    place,
    { sandbox: elsewhere, logDir: elsewhere },
    'LOST',
    Date.now,
    LOCAL_PROCESSES,
    () => true,
  );
  expect(killed).toEqual([]);
  expect([ticksOf(coordinator_pid), ticksOf(pid)]).not.toContain(undefined);
  writeFileSync(join(spec.sandbox, 'end'), '');
  await until(() => ticksOf(coordinator_pid) === undefined);
});

test('what the original started is known by the lock of its coordinator, and exactly from then on', async () => {
  const { spec, pid, coordinator_pid, fork_time, start_time } = await abandoned(
    'original',
    () => Date.now() + HOUR,
  );
  rmSync(fileOf(spec));
  const running = openTask(spec, SETTINGS).run();
  if (seesAllLocks()) {
    await until(() => existsSync(fileOf(spec)) && kept(spec).of(pid, start_time) === ticksOf(pid));
    expect(kept(spec).of(coordinator_pid, fork_time)).toBe(ticksOf(coordinator_pid));
  }
  writeFileSync(join(spec.sandbox, 'end'), '');
  expect((await running).state).toBe(seesAllLocks() ? 'SUCCESS' : expect.any(String));
});

test('a task runs also if the exact starts cannot be kept', async () => {
  const place = join(temp.path, 'unkept');
  const task = taskOf([{ name: 'p', cmdline: 'true' }]);
  const spec = { root: join(place, 'root'), taskId: 'task', sandbox: join(place, 'sandbox'), task };
  mkdirSync(join(fileOf(spec), 'in-the-way'), { recursive: true });
  expect(await openTask(spec, SETTINGS).run()).toEqual({ state: 'SUCCESS', problems: [] });
});
