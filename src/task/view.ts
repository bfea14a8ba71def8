import type { Gap } from '../checkpoint/ends.js';
import { NameMap } from '../checkpoint/name-map.js';
import {
  type Int64,
  isTerminalTaskState,
  type ProcessState,
  type ProcessStatus,
  type RunnerHeader,
  type TaskState,
  type TaskStatus,
} from '../checkpoint/records.js';
import type { ProcessHistory } from '../checkpoint/replay.js';
import type { FoundTask, TaskRoot } from '../discovery/found.js';
import type { Located } from '../discovery/relocate.js';
import type { Problem } from '../errors/problem.js';
import type { LayoutName } from '../layout/layouts.js';
import type { MesosIds } from '../layout/mesos.js';
import type { Reason } from '../layout/reasons.js';
import type { Phase } from '../layout/root-paths.js';
import { RUNNER } from '../layout/task-paths.js';
import { processesLeftOut } from './checkpoint-problems.js';
import type { Material } from './material.js';
import type { ProcessConfig, TaskConfig } from './task-file.js';
import { type Verdict, verdictOf } from './verdict.js';

/** A process for display: its latest run, how often it ran, and what the task file says about it. */
export interface ProcessView {
  process: string;
  /** WAITING if it never started. */
  state: ProcessState | number;
  runs: number;
  failures: number;
  pid?: number;
  coordinator_pid?: number;
  return_code?: number;
  fork_time?: number;
  start_time?: number;
  stop_time?: number;
  max_failures?: number;
  cmdline?: string;
}

/** A recorded path, and where it is on this machine: the tree may have been copied or mounted elsewhere. */
export interface LocatedPath {
  path: string;
  recorded: string;
  /** False if it was not found: the path is then as recorded. */
  found: boolean;
}

/** Everything about one task, joined from the streams, the task file and this host. Times as in the stream. */
export interface TaskView {
  found: FoundTask;
  task_id: string;
  root: TaskRoot;
  layout: LayoutName;
  phase: Phase;
  state: TaskState | number | 'UNKNOWN';
  verdict: Verdict;
  state_timestamp_ms?: Int64;
  launch_time_ms?: Int64;
  name?: string;
  user?: string;
  uid?: number;
  hostname?: string;
  /** Who owns the stream on disk. */
  owner?: string;
  sandbox?: LocatedPath;
  log_dir?: LocatedPath;
  ports?: Record<string, Int64>;
  runner?: { pid?: number; uid?: number; alive: boolean | null };
  /** The pid, in our namespace, of a runner that recorded one of another namespace. */
  foreign_runner?: number;
  processes: ProcessView[];
  mesos?: MesosIds;
  problems: Problem[];

  header: RunnerHeader | null;
  /** All statuses with `history`, else the last one. */
  statuses: TaskStatus[];
  /** The statuses missing from the list, if there are too many to keep. */
  statuses_left_out?: Gap;
  /** How many records were skipped because their processes exceed the number that is kept. */
  records_left_out?: number;
  /** All runs with `history`, else the last run of each process. Processes without a record are absent. */
  history: ReadonlyMap<string, ProcessHistory>;
  config?: TaskConfig;
  /** When the stream was last written or touched, without one what precedes it; milliseconds since the epoch. */
  silent_since_ms?: number;
  /** Pids that are still alive although the task is over or its runner is gone. */
  leftovers: readonly number[];
  /** What its runner and those who ended it knew, in order; empty without `history`. Not to be trusted. */
  reasons: readonly Reason[];
  /** No trace of the task is left on disk. */
  removed: boolean;
}

/** Interprets the material of a task. Pure: the same material gives the same view, and is not modified. */
export function viewOf(material: Material): TaskView {
  const { found, stream, state, config, runner, located, leftovers, bootTimeMs, moved, removed } = material;
  const { header, statuses } = state;
  const problems = [...material.problems];
  const leftOut = processesLeftOut(`${found.checkpoint_dir}/${RUNNER}`, state, found.root.agent?.url);
  if (leftOut !== undefined) problems.push({ ...leftOut, task_id: found.task_id });
  const last = statuses.at(-1);
  const status = last?.state ?? 'UNKNOWN';
  const phase = moved && isTerminalTaskState(status) ? 'finished' : found.phase;
  return {
    found,
    task_id: found.task_id,
    root: found.root,
    layout: found.root.layout,
    phase,
    state: status,
    verdict: verdictOf({
      readable: stream !== undefined,
      started: header !== null || last !== undefined || isDamaged(problems),
      phase,
      state: status,
      alive: runner.alive,
      foreign: runner.foreign,
      statusTimeMs: last?.timestamp_ms === undefined ? undefined : Number(last.timestamp_ms),
      bootTimeMs,
      leftovers: leftovers.length > 0,
    }),
    state_timestamp_ms: last?.timestamp_ms,
    launch_time_ms: header?.launch_time_ms,
    name: config?.name,
    user: header?.user,
    uid: header?.uid,
    hostname: header?.hostname,
    owner: stream?.owner,
    sandbox: locatedPath(located.sandbox, header?.sandbox),
    log_dir: locatedPath(located.log_dir, header?.log_dir),
    ports: header?.ports,
    runner: last && { pid: last.runner_pid, uid: last.runner_uid, alive: runner.alive },
    foreign_runner: runner.holder,
    processes: processViews(state.processes, config),
    mesos: found.root.mesos,
    problems,
    header,
    statuses,
    statuses_left_out: state.statuses_left_out,
    records_left_out: state.records_left_out,
    history: state.processes,
    config,
    silent_since_ms: stream?.mtimeMs ?? material.preparedMs,
    leftovers,
    reasons: material.reasons,
    removed,
  };
}

/** An active task of which nothing is recorded: it is about to start, or its runner died before it started it. Pure. */
export function isUnstarted({ found, verdict, phase, header, statuses, problems }: TaskView): boolean {
  if (
    found.unreadable ||
    verdict !== 'unknown' ||
    phase !== 'active' ||
    header !== null ||
    statuses.length > 0
  )
    return false;
  return !isDamaged(problems);
}

function isDamaged(problems: readonly Problem[]): boolean {
  return problems.some(({ code, severity }) => code.startsWith('checkpoint-') && severity === 'error');
}

function locatedPath(located: Located | undefined, recorded: string | undefined): LocatedPath | undefined {
  return located && { path: located.path, recorded: recorded ?? located.path, found: located.found };
}

/** Processes in the order of the task file, followed by those not in it, in the order of the stream. */
function processViews(
  history: ReadonlyMap<string, ProcessHistory>,
  config: TaskConfig | undefined,
): ProcessView[] {
  const views: ProcessView[] = [];
  const listed = new NameMap<true>();
  for (const process of config?.processes ?? []) {
    if (listed.has(process.name)) continue;
    listed.set(process.name, true);
    views.push(processView(process.name, history.get(process.name), process));
  }
  for (const [name, runs] of history) {
    if (!listed.has(name)) views.push(processView(name, runs, undefined));
  }
  return views;
}

const NEVER_RAN: ProcessStatus = {};

function processView(
  process: string,
  history: ProcessHistory | undefined,
  config: ProcessConfig | undefined,
): ProcessView {
  const run = history?.runs.at(-1) ?? NEVER_RAN;
  return {
    process,
    state: run.state ?? 'WAITING',
    runs: history?.run_count ?? 0,
    failures: history?.failures ?? 0,
    pid: run.pid,
    coordinator_pid: run.coordinator_pid,
    return_code: run.return_code,
    fork_time: run.fork_time,
    start_time: run.start_time,
    stop_time: run.stop_time,
    max_failures: config?.max_failures,
    cmdline: config?.cmdline,
  };
}
