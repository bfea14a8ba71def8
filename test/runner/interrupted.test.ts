import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { RecordLister } from '../../src/checkpoint/follow.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import type { CheckpointRecord, ProcessState, TaskState } from '../../src/checkpoint/records.js';
import { CheckpointWriter } from '../../src/checkpoint/writer.js';
import { SystemError } from '../../src/errors/errors.js';
import type { CoordinatorPrograms, NewTask } from '../../src/runner/api.js';
import { openTask } from '../../src/runner/runner.js';
import { readStreamAt } from '../checkpoint/streams.js';
import { faultyCoordinator } from '../coordinator/variants.js';
import { REPOSITORY, tempDir } from '../e2e/harness.js';
import { writerThat } from './faulty-writer.js';
import { COORDINATOR, IS_SECOND, recordsOf, SETTINGS, storyOf, taskOf } from './harness.js';

let temp: ReturnType<typeof tempDir>;
beforeAll(async () => {
  temp = tempDir();
  await build({
    entryPoints: ['interrupted-runner', 'faulty-coordinator'].map((name) =>
      join(REPOSITORY, 'test/runner', `${name}.ts`),
    ),
    outdir: temp.path,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
});
afterAll(() => temp.remove());

const REGULAR = ['one', 'two', 'three', 'four', 'alone'];
const NAMES = [...REGULAR, 'last'];
const TASK = taskOf(
  NAMES.map((name) => ({ name, cmdline: `echo ${name} >> ran`, final: name === 'last' })),
  { constraints: [{ order: ['one', 'two', 'four'] }, { order: ['one', 'three', 'four'] }] },
);
/** ACTIVE, header, CLEANING, FINALIZING, SUCCESS; a process: WAITING … SUCCESS and FORKED in its own stream. */
const RECORDS = 5 + 5 * NAMES.length;

function newTask(name: string): NewTask {
  const place = join(temp.path, name);
  mkdirSync(join(place, 'sandbox'), { recursive: true });
  return { root: join(place, 'root'), taskId: 'task', sandbox: join(place, 'sandbox'), task: TASK };
}

const streamOf = ({ root }: NewTask) => join(root, 'checkpoints/task/runner');

/** The processes that ran, once for each time they did. */
function ran({ sandbox }: NewTask): string[] {
  return readFileSync(join(sandbox, 'ran'), 'utf8').split('\n').filter(Boolean).sort();
}

async function interrupted(spec: NewTask, when: string, at: number): Promise<string> {
  const words = [
    JSON.stringify({ ...spec, task: TASK.document }),
    JSON.stringify(COORDINATOR),
    when,
    String(at),
  ];
  const child = spawn(process.execPath, [join(temp.path, 'interrupted-runner.cjs'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  const [, signal] = await once(child, 'close');
  return signal ?? stdout;
}

const ONCE = ['0 WAITING', '1 FORKED', '2 RUNNING', '3 SUCCESS 0'];
const AGAIN = ['4 WAITING', '5 FORKED', '6 RUNNING', '7 SUCCESS 0'];

/** A run that was killed by a runner, as far as it had come, and one that succeeded. */
const KILLED_AND_AGAIN = [
  [...ONCE.slice(0, 2), '2 KILLED -1', '3 WAITING', '4 FORKED', '5 RUNNING', '6 SUCCESS 0'],
  [...ONCE.slice(0, 3), '3 KILLED -1', ...AGAIN],
];

/** Takes the task up again and expects that nothing was lost and nothing done twice. */
async function expectResumed(spec: NewTask): Promise<void> {
  const lister = new RecordLister(() => {});
  expect(readStreamAt(streamOf(spec), lister).damage?.kind ?? 'incomplete').toBe('incomplete');
  if (lister.over) {
    expect(() => openTask(spec, SETTINGS)).toThrow('is finished');
  } else {
    expect(await openTask(spec, SETTINGS).run()).toEqual({ state: 'SUCCESS', problems: [] });
  }
  const records = recordsOf(streamOf(spec));
  const { task, processes } = storyOf(records);
  // As with the original, FINALIZING begins anew: a final process that runs then is killed and run again.
  // How far it had come by then (and whether it has come to its end) is not for us to know.
  const { last, ...regular } = processes;
  const again = last?.some((line) => line.endsWith('KILLED -1')) === true;
  expect(again ? KILLED_AND_AGAIN : [ONCE]).toContainEqual(last);
  expect(regular).toEqual(Object.fromEntries(REGULAR.map((name) => [name, ONCE])));
  if (again) expect(task.filter((state) => state === 'FINALIZING')).toHaveLength(2);
  expect(task.filter((state, i) => state !== task[i - 1])).toEqual([
    'ACTIVE',
    'CLEANING',
    'FINALIZING',
    'SUCCESS',
  ]);
  expect(records.filter(({ type }) => type === 'runner_header')).toHaveLength(1);
  const times = ran(spec);
  expect(again ? [...new Set(times)] : times).toEqual([...NAMES].sort());
  expect(times.filter((name) => name !== 'last')).toEqual([...REGULAR].sort());
  expect(existsSync(join(spec.root, 'tasks/finished/task'))).toBe(true);
  expect(existsSync(join(spec.root, 'tasks/active/task'))).toBe(false);
}

describe('a runner killed at any of its records', () => {
  /** The numbers of the records that began a group. Before another one, the stream is as after the one before it. */
  const first = new Set<number>();

  beforeAll(async () => {
    const spec = newTask('uninterrupted');
    let written = 0;
    for (const length of JSON.parse(await interrupted(spec, 'never', 0)) as number[]) {
      first.add(written + 1);
      written += length;
    }
    expect(written).toBe(RECORDS);
    await expectResumed(spec);
  });

  // What a runner writes depends little on who watches: with the second coordinator, a third is enough, and that it is
  // killed after them.
  const isShort = IS_SECOND && process.env.THERMOS_TEST_BOTH === undefined;
  const records = Array.from({ length: RECORDS }, (_, i) => i + 1).filter((at) => !isShort || at % 3 === 0);
  test.concurrent.each(records)('number %i', async (at) => {
    const whole = [...(first.has(at) ? ['before'] : []), ...(at % 4 === 0 ? ['inside'] : []), 'after'];
    for (const when of isShort ? ['after'] : whole) {
      const spec = newTask(`${when}-${at}`);
      expect(await interrupted(spec, when, at)).toBe('SIGKILL');
      await expectResumed(spec);
    }
  });
});

test('a group that was torn at any byte is taken up after its last whole record', () => {
  const uid = globalThis.process.getuid?.() ?? 0;
  const header = { task_id: 'task', sandbox: join(temp.path, 'torn/sandbox'), uid };
  const process = (name: string, seq: number, state: ProcessState): CheckpointRecord => ({
    type: 'process_status',
    value: { seq, process: name, state },
  });
  const task = (state: TaskState): CheckpointRecord => ({
    type: 'task_status',
    value: { state, timestamp_ms: 1, runner_pid: 1, runner_uid: uid },
  });
  const spec = newTask('torn');
  openTask(spec, SETTINGS).close();
  mkdirSync(join(spec.root, 'checkpoints/task'), { recursive: true });
  const bytesOf = (records: readonly CheckpointRecord[]) =>
    records.map((record) => encodeFrame(encodeRecord(record)));
  const whole: CheckpointRecord[] = [task('ACTIVE'), { type: 'runner_header', value: header }];
  for (const group of [
    [process('one', 0, 'WAITING'), process('two', 0, 'WAITING')],
    [process('one', 1, 'FAILED'), task('CLEANING')],
  ]) {
    const before = Buffer.concat(bytesOf(whole));
    const [first, second] = bytesOf(group) as [Buffer, Buffer];
    for (let torn = 0; torn < first.length + second.length; torn++) {
      const part = Buffer.concat([first, second]).subarray(0, torn);
      writeFileSync(streamOf(spec), Buffer.concat([before, part]));
      const runner = openTask(spec, SETTINGS);
      runner.close();
      const kept = readFileSync(streamOf(spec)).length - before.length;
      expect({ torn, kept, resumed: runner.resumed }).toEqual({
        torn,
        kept: torn < first.length ? 0 : first.length,
        resumed: true,
      });
    }
    whole.push(...group);
  }
});

/** A coordinator that obeys the file `fault`; undefined if it cannot be built here. */
function faulty(): CoordinatorPrograms | undefined {
  const script = join(temp.path, 'faulty-coordinator.cjs');
  if (COORDINATOR.native === undefined) return { script };
  const native = faultyCoordinator(temp.path);
  return native === undefined ? undefined : { script, native, nativeOnly: true };
}

describe('a coordinator killed at any of its writes', () => {
  let coordinator: CoordinatorPrograms | undefined;
  beforeAll(() => {
    coordinator = faulty();
  });

  test.each([
    ['before', 1, ['0 WAITING', '1 FORKED', '2 LOST', '3 WAITING', '4 FORKED', '5 RUNNING', '6 SUCCESS 0']],
    ['after', 1, [...ONCE.slice(0, 3), '3 LOST', ...AGAIN]],
    ['before', 2, [...ONCE.slice(0, 3), '3 LOST', ...AGAIN]],
    ['after', 2, ONCE],
    ['inside', 1, ['0 WAITING', '1 FORKED', '2 LOST', '3 WAITING', '4 FORKED', '5 RUNNING', '6 SUCCESS 0']],
    ['inside', 2, [...ONCE.slice(0, 3), '3 LOST', ...AGAIN]],
  ] as const)('%s its write %i', async (when, at, story) => {
    if (coordinator === undefined) return;
    const spec = newTask(`coordinator-${when}-${at}`);
    writeFileSync(join(temp.path, 'fault'), `two ${when} ${at}\n`);
    const { state } = await openTask(spec, { ...SETTINGS, coordinator }).run();
    expect(state).toBe('SUCCESS');
    expect(existsSync(join(temp.path, 'fault'))).toBe(false);
    const { processes } = storyOf(recordsOf(streamOf(spec)));
    expect(processes).toEqual({ ...Object.fromEntries(NAMES.map((name) => [name, ONCE])), two: story });
  });
});

test('a full disk ends the runner with an error, and the task can go on when there is room', async () => {
  const spec = newTask('full');
  let room = 12;
  const writer = writerThat({
    before: (records) => {
      room -= records.length;
      if (room < 0) throw new SystemError('checkpoint-write-failed', 'no space left on device');
    },
  });
  await expect(openTask(spec, { ...SETTINGS, writer }).run()).rejects.toMatchObject({
    message: 'no space left on device',
    hint: expect.stringContaining(`--task-id ${spec.taskId}`),
  });
  await expectResumed(spec);
});

test('so does a disk that cannot make a group durable, of which nothing is done and nothing reported', async () => {
  const spec = newTask('unsynced');
  const reported: CheckpointRecord[] = [];
  const writer = (fd: number) =>
    new (class extends CheckpointWriter {
      override sync(done: (error: SystemError) => void): void {
        setImmediate(() => done(new SystemError('checkpoint-write-failed', 'input/output error')));
      }
    })(fd);
  const run = openTask(spec, { ...SETTINGS, writer }, { record: (record) => reported.push(record) }).run();
  await expect(run).rejects.toThrow('input/output error');
  expect(recordsOf(streamOf(spec)).length).toBeGreaterThan(2);
  expect(reported.map(({ type }) => type)).toEqual(['task_status', 'runner_header']);
  expect(existsSync(join(spec.sandbox, 'ran'))).toBe(false);
  await expectResumed(spec);
});
