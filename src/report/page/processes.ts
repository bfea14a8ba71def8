import type { TaskStatus } from '../../checkpoint/records.js';
import type { ProcessStatusDocument } from '../../contracts/checkpoint.js';
import type { InspectDocument, ProcessDocument } from '../../contracts/task.js';
import { endedWithTask, endingOf } from '../../task/ending.js';
import { describeReturnCode } from '../../task/return-code.js';

/** A run of a process. Times are milliseconds since the epoch as recorded: they may be anything. */
export interface ReportedRun {
  n: number;
  state: string | number;
  fork?: number;
  start?: number;
  stop?: number;
  /** How it ended, in words; empty if that is not recorded. */
  how: string;
}

/** A process with all its runs that are known, and what the task file says about it. */
export interface Process {
  name: string;
  /** Of its section on the page: names may be anything. */
  anchor: string;
  state: string | number;
  /** How often it ran and failed, including the runs that are not in `runs`. */
  run_count: number;
  failures: number;
  runs: readonly ReportedRun[];
  /** `final`, `daemon`, `ephemeral`. */
  kinds: readonly string[];
  max_failures?: number;
  cmdline?: string;
  /** The names of those that it waits for. */
  after: readonly string[];
}

const KINDS = ['final', 'daemon', 'ephemeral'];

/** The processes of a task, in the order of its document. Pure. */
export function processesOf(task: InspectDocument): Process[] {
  const kinds = kindsOf(task.task);
  const after = new Map(task.ordering.map(({ process, after }) => [process, after]));
  const ending = endingOf(task.statuses as TaskStatus[]);
  return task.processes.map((process, i) => {
    const name = process.process;
    const own = kinds.get(name) ?? [];
    const isFinal = own.includes('final');
    const gap = ownOf(task.left_out?.runs, name);
    const known = ownOf(task.history, name) ?? lastRunOf(process);
    const first = known.length === 1 && gap === undefined ? Math.max(0, process.runs - 1) : 0;
    const runs = known.map((run, i): ReportedRun => {
      const start = inMs(run.start_time);
      const stop = inMs(run.stop_time);
      const state = run.state ?? 'UNKNOWN';
      const seconds = { state: run.state, return_code: run.return_code, ...secondsOf(run) };
      return {
        n: gap !== undefined && i >= gap.at ? i + gap.count : first + i,
        state,
        fork: inMs(run.fork_time),
        start,
        stop,
        how: describeReturnCode(run.return_code, endedWithTask(seconds, isFinal, ending)),
      };
    });
    return {
      name,
      anchor: `p${i}`,
      state: process.state,
      run_count: process.runs,
      failures: process.failures,
      runs,
      kinds: own,
      max_failures: process.max_failures,
      cmdline: process.cmdline,
      after: after.get(name) ?? [],
    };
  });
}

/** A process or a port may be called `__proto__`. */
function ownOf<T>(values: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}

/** For a document without history. */
function lastRunOf({
  state,
  runs,
  start_time,
  stop_time,
  return_code,
}: ProcessDocument): ProcessStatusDocument[] {
  return runs === 0 ? [] : [{ state, start_time, stop_time, return_code }];
}

type Seconds = ProcessStatusDocument['start_time'];

function inMs(seconds: Seconds): number | undefined {
  return seconds === undefined ? undefined : numberOf(seconds) * 1000;
}

function numberOf(seconds: Exclude<Seconds, undefined>): number {
  if (typeof seconds === 'number') return seconds;
  return { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }[seconds];
}

function secondsOf({ start_time, stop_time }: ProcessStatusDocument) {
  return {
    start_time: start_time === undefined ? undefined : numberOf(start_time),
    stop_time: stop_time === undefined ? undefined : numberOf(stop_time),
  };
}

/** By process; the task file may hold anything. */
function kindsOf(config: InspectDocument['task']): ReadonlyMap<string, string[]> {
  const kinds = new Map<string, string[]>();
  const listed: unknown = config?.processes;
  for (const process of Array.isArray(listed) ? listed : []) {
    const fields = (typeof process === 'object' ? process : null) as Record<string, unknown> | null;
    if (typeof fields?.name !== 'string') continue;
    kinds.set(
      fields.name,
      KINDS.filter((kind) => fields[kind] === true),
    );
  }
  return kinds;
}
