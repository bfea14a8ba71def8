import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordLister } from '../../src/checkpoint/follow.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import type { CoordinatorPrograms, RunSettings } from '../../src/runner/api.js';
import { type RunnableTask, runnableTask } from '../../src/runner/task-document.js';
import { readStreamAt } from '../checkpoint/streams.js';
import { REPOSITORY } from '../e2e/harness.js';

const NATIVE = process.env.THERMOS_TEST_NATIVE ?? join(REPOSITORY, 'dist/coordinator');
const SCRIPT = join(REPOSITORY, 'dist/coordinator.cjs');

/** Was the coordinator in C built? Without a C compiler it is not, and is not tested. */
export const HAS_NATIVE = existsSync(NATIVE);

/** The built coordinators, as `run` has them: the tests of a runner run with each of them, see vitest.config.ts. */
export const COORDINATOR: CoordinatorPrograms =
  HAS_NATIVE && process.env.THERMOS_COORDINATOR !== 'js'
    ? { script: SCRIPT, native: NATIVE, nativeOnly: true }
    : { script: SCRIPT };

/** With this coordinator, what does not depend on it is left out: it is tested with the other one. */
export const IS_SECOND = HAS_NATIVE && COORDINATOR.native === undefined;

export const SETTINGS: RunSettings = { coordinator: COORDINATOR, now: Date.now };

/** All records of a stream; fails if it is damaged. */
export function recordsOf(stream: string): CheckpointRecord[] {
  const records: CheckpointRecord[] = [];
  const { damage } = readStreamAt(stream, new RecordLister((record) => records.push(record)));
  if (damage !== undefined) throw new Error(`${stream}: ${damage.reason}`);
  return records;
}

/** What of the records doesn't depend on the clock: by process, and of the task. */
export interface Story {
  task: unknown[];
  processes: Record<string, string[]>;
}

export function storyOf(records: readonly CheckpointRecord[]): Story {
  const story: Story = { task: [], processes: {} };
  for (const { type, value } of records) {
    if (type === 'task_status') story.task.push(value.state);
    if (type !== 'process_status') continue;
    const line = [value.seq, value.state, value.return_code].filter((part) => part !== undefined).join(' ');
    const name = value.process as string;
    story.processes[name] = [...(story.processes[name] ?? []), line];
  }
  return story;
}

/** A record in the corpus's records.json. */
interface RawRecord {
  union: CheckpointRecord['type'];
  fields: CheckpointRecord['value'];
}

export interface CorpusCase {
  name: string;
  taskId: string;
  task: RunnableTask;
  header: { user?: string; ports?: Record<string, number>; hostname?: string };
  records: CheckpointRecord[];
}

const CASES = join(REPOSITORY, 'fixtures/checkpoints');

/** The names of the cases whose streams are as the original wrote them. */
export function soundCases(): string[] {
  const isSound = (name: string) => {
    const { damaged } = JSON.parse(readFileSync(join(CASES, name, 'case.json'), 'utf8')) as {
      damaged: boolean;
    };
    return !damaged;
  };
  return readdirSync(CASES).filter((name) => existsSync(join(CASES, name, 'case.json')) && isSound(name));
}

/**
 * The task of a case of the corpus and what the original recorded when it ran it. Of one with several streams the
 * first, or the one whose path has `part` in it: CASE or CASE/PART.
 */
export function corpusCase(words: string): CorpusCase {
  const [name = '', part = ''] = words.split('/');
  const directory = join(CASES, name);
  const streams = JSON.parse(readFileSync(join(directory, 'records.json'), 'utf8')) as Record<
    string,
    RawRecord[]
  >;
  const isIt = (stream: string) => stream.endsWith('/runner') && stream.includes(part);
  const [path, raw] = Object.entries(streams).find(([stream]) => isIt(stream)) ?? [];
  if (path === undefined || raw === undefined) throw new Error(`${words} has no runner's stream`);
  const records = raw.map(({ union, fields }) => ({ type: union, value: fields }) as CheckpointRecord);
  const [, root, taskId] = /^(.*)\/checkpoints\/([^/]+)\/runner$/.exec(path) as unknown as string[];
  const header = records.find(({ type }) => type === 'runner_header')?.value ?? {};
  return {
    name: words.replace('/', '.'),
    taskId: taskId as string,
    task: readTask(join(directory, root as string), taskId as string),
    header: header as CorpusCase['header'],
    records,
  };
}

function readTask(root: string, taskId: string): RunnableTask {
  for (const phase of ['finished', 'active']) {
    try {
      return runnableTask(JSON.parse(readFileSync(join(root, 'tasks', phase, taskId), 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${taskId} has no task file`);
}

/** A task of these processes: nothing waits, unless it says so. */
export function taskOf(
  processes: readonly Record<string, unknown>[],
  rest: Record<string, unknown> = {},
): RunnableTask {
  return runnableTask({
    name: 'test',
    processes: processes.map((each) => ({ min_duration: 0, ...each })),
    ...rest,
  });
}
