import type { Gap } from '../checkpoint/ends.js';
import type { Damage } from '../checkpoint/framing.js';
import { NameMap } from '../checkpoint/name-map.js';
import { CheckpointFile, readStream } from '../checkpoint/reader.js';
import {
  type Int64,
  isTerminalProcessState,
  isTerminalTaskState,
  type ProcessState,
  type ProcessStatus,
  type RunnerHeader,
  type TaskState,
  type TaskStatus,
} from '../checkpoint/records.js';
import type { CheckpointState, ProcessHistory } from '../checkpoint/replay.js';
import type { FoundTask, TaskRoot } from '../discovery/found.js';
import { type Locate, type Located, locatePaths } from '../discovery/relocate.js';
import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import type { LayoutName } from '../layout/layouts.js';
import { LAYOUTS } from '../layout/layouts.js';
import type { MesosIds } from '../layout/mesos.js';
import type { Phase } from '../layout/root-paths.js';
import { phasePath } from '../layout/root-paths.js';
import { coordinatorName, RUNNER } from '../layout/task-paths.js';
import type { Directories } from '../store/directories.js';
import { listDirectory } from '../store/list.js';
import { presenceOf, realPath } from '../store/look.js';
import { type FileStat, type OpenOptions, openFile, useFile } from '../store/open-file.js';
import { damagedCheckpoint, processesLeftOut, unreadableCheckpoint } from './checkpoint-problems.js';
import { isSameProcess, type RunnerLiveness, runnerLiveness } from './liveness.js';
import { type ProcessConfig, readTaskFile, type TaskConfig } from './task-file.js';
import { type Verdict, verdictOf } from './verdict.js';

/** A process as a person sees it: its latest run, how often it ran, and what the task file says of it. */
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

/** A recorded path, and where it is here: the tree may have been copied or mounted elsewhere. */
export interface Place {
  path: string;
  recorded: string;
  /** False if it is nowhere: the path is then as recorded. */
  found: boolean;
}

/** Everything about one task: the streams, the task file and this host joined. Times as in the stream. */
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
  sandbox?: Place;
  log_dir?: Place;
  ports?: Record<string, Int64>;
  runner?: { pid?: number; uid?: number; alive: boolean | null };
  processes: ProcessView[];
  mesos?: MesosIds;
  problems: Problem[];

  header: RunnerHeader | null;
  /** All of them with `history`, else the last one. */
  statuses: TaskStatus[];
  /** Of very many statuses those that are not in the list. */
  statuses_left_out?: Gap;
  /** How many records of more processes than are kept were passed over. */
  records_left_out?: number;
  /** All runs with `history`, else the last one of each. Processes without a record are not in it. */
  history: ReadonlyMap<string, ProcessHistory>;
  config?: TaskConfig;
  /** When the stream was last written or touched, milliseconds since the epoch. */
  silent_since_ms?: number;
  /** Pids that live on though the task is over or its runner gone. */
  leftovers: number[];
}

const locateNow: Locate = (recorded, task) => locatePaths(recorded, task, realPath);

export interface TaskReaderOptions {
  /** All statuses and runs, for one task; else the latest, for many. */
  history: boolean;
  /** It is read once: nothing is remembered for a second time. */
  once?: boolean;
}

/**
 * Reads a task from disk, again and again if asked to: then only what was appended since. What can't be read
 * is a problem in the view; nothing is thrown.
 */
export class TaskReader {
  readonly #options: TaskReaderOptions;
  #found: FoundTask;
  #file: CheckpointFile<FileStat>;
  /** How the task's files are opened: no link that its user may have laid is followed. */
  #opening: OpenOptions;
  /** Coordinators were merged in: the runner's own stream can't be read on from here. */
  #merged = false;

  constructor(found: FoundTask, options: TaskReaderOptions) {
    this.#options = options;
    this.#found = found;
    this.#opening = this.#openingOf(found);
    this.#file = this.#checkpoint();
  }

  /**
   * `found`: the same task, found again, if it was: its task file may have moved. `directories`: open while many
   * tasks are read at one moment.
   */
  read(
    host: Host,
    found: FoundTask = this.#found,
    locate: Locate = locateNow,
    directories?: Directories,
  ): TaskView {
    this.#found = found;
    this.#opening = this.#openingOf(found, directories);
    // Before the stream is read: who holds the lock no more by now has written all that it had to say.
    if (found.phase === 'active' && !found.unreadable) host.lookAtLocks();
    const problems = [...found.problems];
    const config = this.#config(problems);
    const stream = found.unreadable ? undefined : this.#stream(problems);
    let state = this.#file.replay.state();
    const last = state.statuses.at(-1);
    const status = last?.state ?? 'UNKNOWN';
    const terminal = isTerminalTaskState(status);
    const runner = this.#runner(host, stream, last, terminal);
    if (stream !== undefined && !terminal && runner.alive !== true) {
      state = this.#withCoordinators(state, problems);
    }
    const leftOut = processesLeftOut(this.#path, state);
    if (leftOut !== undefined) problems.push({ ...leftOut, task_id: found.task_id });
    const phase = terminal && this.#wasMoved() ? 'finished' : found.phase;
    const { header } = state;
    const located = found.unreadable ? {} : locate(header ?? {}, found);
    const leftovers = runner.alive === true || runner.foreign ? [] : leftoverPids(host, state);
    return {
      found,
      task_id: found.task_id,
      root: found.root,
      layout: found.root.layout,
      phase,
      state: status,
      verdict: verdictOf({
        readable: stream !== undefined,
        phase,
        state: status,
        alive: runner.alive,
        foreign: runner.foreign,
        statusTimeMs: last?.timestamp_ms === undefined ? undefined : Number(last.timestamp_ms),
        bootTimeMs: terminal ? undefined : host.bootTimeMs,
        leftovers: leftovers.length > 0,
      }),
      state_timestamp_ms: last?.timestamp_ms,
      launch_time_ms: header?.launch_time_ms,
      name: config?.name,
      user: header?.user,
      uid: header?.uid,
      hostname: header?.hostname,
      owner: stream && (host.userName(stream.uid) ?? String(stream.uid)),
      sandbox: place(located.sandbox, header?.sandbox),
      log_dir: place(located.log_dir, header?.log_dir),
      ports: header?.ports,
      runner: last && { pid: last.runner_pid, uid: last.runner_uid, alive: runner.alive },
      processes: processViews(state.processes, config),
      mesos: found.root.mesos,
      problems,
      header,
      statuses: state.statuses,
      statuses_left_out: state.statuses_left_out,
      records_left_out: state.records_left_out,
      history: state.processes,
      config,
      silent_since_ms: stream?.mtimeMs,
      leftovers,
    };
  }

  get #path(): string {
    return `${this.#found.checkpoint_dir}/${RUNNER}`;
  }

  #openingOf({ root }: FoundTask, directories?: Directories): OpenOptions {
    return { below: LAYOUTS[root.layout].base(root), as: 'owner', directories };
  }

  #checkpoint(): CheckpointFile<FileStat> {
    return new CheckpointFile(() => openFile(this.#path, this.#opening), this.#options, this.#options.once);
  }

  #runner(
    host: Host,
    stream: FileStat | undefined,
    last: TaskStatus | undefined,
    over: boolean,
  ): RunnerLiveness {
    if (stream === undefined) return { alive: null, foreign: false };
    // The runner moves the task file as its last deed. The first look at /proc/locks costs 10 ms.
    if (over && this.#found.phase === 'finished') return { alive: false, foreign: false };
    const runner = runnerLiveness(host, stream, recordedRunner(last));
    if (over || runner.alive !== false || this.#found.task_file !== undefined) return runner;
    // A runner takes its lock, then writes the task file: one that has just started may have taken it since.
    return runnerLiveness(host.again(), stream, recordedRunner(last));
  }

  /** The task file is not among the active ones any more: the task may have ended since it was found. */
  #wasMoved(): boolean {
    const { phase, task_file } = this.#found;
    return phase === 'active' && (task_file === undefined || presenceOf(task_file, 'no-follow') === 'absent');
  }

  #config(problems: Problem[]): TaskConfig | undefined {
    if (this.#found.task_file === undefined) return undefined;
    const { task_file, task_id, root } = this.#found;
    const found = readTaskFile(task_file, this.#opening);
    const vanished = found.config === undefined && found.problem === undefined;
    const { config, problem } = vanished
      ? readTaskFile(`${phasePath(root.path, 'finished')}/${task_id}`, this.#opening)
      : found;
    if (problem !== undefined) problems.push({ ...problem, task_id: this.#found.task_id });
    return config;
  }

  /** The stream's stat; undefined, with a problem told, if it can't be opened. */
  #stream(problems: Problem[]): FileStat | undefined {
    if (this.#merged) {
      this.#file = this.#checkpoint();
      this.#merged = false;
    }
    try {
      const { stat, damage } = this.#file.refresh();
      if (damage !== undefined) problems.push(this.#damaged(this.#path, damage));
      return stat;
    } catch (error) {
      const told = this.#found.problems.some((problem) => problem.code === 'checkpoint-missing');
      if (!(told && errnoOf(error) === 'ENOENT')) {
        const problem = unreadableCheckpoint(this.#path, error);
        const severity = errnoOf(error) === 'ENOENT' && this.#isUnbegun() ? 'warning' : problem.severity;
        problems.push({ ...problem, severity, task_id: this.#found.task_id });
      }
      return undefined;
    }
  }

  /** Did its runner die before it made the stream? Then nothing was lost. */
  #isUnbegun(): boolean {
    const { task_file, checkpoint_dir } = this.#found;
    try {
      if (task_file !== undefined) return false;
      return listDirectory(checkpoint_dir, { ...this.#opening, max: 1 }).entries.length === 0;
    } catch {
      return false;
    }
  }

  #damaged(path: string, damage: Damage): Problem {
    const over = this.#found.phase === 'finished';
    return { ...damagedCheckpoint(path, damage, over), task_id: this.#found.task_id };
  }

  /** Without a runner the coordinators' streams may know more than its own. */
  #withCoordinators(state: CheckpointState, problems: Problem[]): CheckpointState {
    for (const [process, { runs }] of state.processes) {
      if (isTerminalProcessState(runs.at(-1)?.state)) continue;
      const name = coordinatorName(process);
      if (name === undefined) continue;
      const path = `${this.#found.checkpoint_dir}/${name}`;
      this.#merged = true;
      try {
        const consumer = this.#file.replay.coordinator(process);
        const { damage } = useFile(path, this.#opening, (file) => readStream(file, consumer));
        if (damage !== undefined) problems.push({ ...this.#damaged(path, damage), process });
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') continue;
        problems.push({ ...unreadableCheckpoint(path, error), task_id: this.#found.task_id, process });
      }
    }
    return this.#merged ? this.#file.replay.state() : state;
  }
}

function recordedRunner(status: TaskStatus | undefined) {
  return {
    pid: status?.runner_pid,
    uid: status?.runner_uid,
    timestampMs: status?.timestamp_ms === undefined ? undefined : Number(status.timestamp_ms),
  };
}

function leftoverPids(host: Host, { header, processes }: CheckpointState): number[] {
  const pids: number[] = [];
  for (const { runs } of processes.values()) {
    const run = runs.at(-1);
    if (run === undefined) continue;
    if (isSameProcess(host, run.coordinator_pid, run.fork_time, header?.uid))
      pids.push(run.coordinator_pid as number);
    if (isSameProcess(host, run.pid, run.start_time, header?.uid)) pids.push(run.pid as number);
  }
  return pids;
}

function place(located: Located | undefined, recorded: string | undefined): Place | undefined {
  return located && { path: located.path, recorded: recorded ?? located.path, found: located.found };
}

/** Processes in the order of the task file, those it doesn't know behind them, in the order of the stream. */
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
