import type { Damage } from '../checkpoint/framing.js';
import { CheckpointFile, readStream } from '../checkpoint/reader.js';
import { isTerminalProcessState, isTerminalTaskState, type TaskStatus } from '../checkpoint/records.js';
import type { CheckpointState } from '../checkpoint/replay.js';
import type { FoundTask } from '../discovery/found.js';
import { type Locate, type LocatedPaths, locatePaths } from '../discovery/relocate.js';
import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import { LAYOUTS } from '../layout/layouts.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import type { Reason } from '../layout/reasons.js';
import { phasePath } from '../layout/root-paths.js';
import type { ExactStarts } from '../layout/starts.js';
import { coordinatorName, processOfName, RUNNER } from '../layout/task-paths.js';
import type { Directories } from '../store/directories.js';
import { listDirectory } from '../store/list.js';
import { presenceOf, realPath, statFile } from '../store/look.js';
import { type FileStat, type OpenOptions, openFile, useFile } from '../store/open-file.js';
import { damagedCheckpoint, notStarted, unreadableCheckpoint } from './checkpoint-problems.js';
import { isSameProcess, type RunnerLiveness, runnerLiveness } from './liveness.js';
import { readReasons } from './reasons.js';
import { startsOfTask } from './starts.js';
import { readTaskFile, type TaskConfig } from './task-file.js';

/**
 * The data gathered about one task at one point in time, on this host or elsewhere. `viewOf` interprets it. Whatever
 * could not be read is one of its problems.
 */
export interface Material {
  found: FoundTask;
  /** The file of the stream; undefined if it could not be opened. */
  stream: { owner: string; mtimeMs: number } | undefined;
  /** Of an active task without a stream: when its task file or its checkpoint directory was last changed, milliseconds since the epoch. */
  preparedMs?: number;
  /** The replayed state of the runner's stream, merged with the coordinators' streams if no runner is alive. */
  state: CheckpointState;
  config: TaskConfig | undefined;
  runner: RunnerLiveness;
  /** Where the recorded paths are on the task's machine. */
  located: LocatedPaths;
  /** Pids of the task that are alive without its runner. */
  leftovers: readonly number[];
  /** When the machine booted, milliseconds since the epoch. Only for a task that has not ended. */
  bootTimeMs: number | undefined;
  /** The task has ended, and its file is no longer among the active ones. */
  moved: boolean;
  /** Neither its task file nor its checkpoint directory exists any more. */
  removed: boolean;
  /** With `history`: what was kept beside the stream. Anybody who may write there may have written it. */
  reasons: readonly Reason[];
  problems: readonly Problem[];
}

const locateNow: Locate = (recorded, task) => locatePaths(recorded, task, realPath);

export interface TaskReaderOptions {
  /** Keep all statuses and runs, for one task; else only the latest, for many. */
  history: boolean;
  /** The task is read only once: nothing is kept for a second read. */
  once?: boolean;
}

/**
 * Gathers the material of a task on this host, repeatedly if needed: later calls read only what was appended since.
 * Never throws.
 */
export class MaterialReader {
  readonly #options: TaskReaderOptions;
  #found: FoundTask;
  #file: CheckpointFile<FileStat>;
  /** How the task's files are opened: no link that its user may have created is followed. */
  #opening: OpenOptions;
  /** Coordinators were merged in, so the runner's own stream must be read again from its start. */
  #merged = false;

  constructor(found: FoundTask, options: TaskReaderOptions) {
    this.#options = options;
    this.#found = found;
    this.#opening = this.#openingOf(found);
    this.#file = this.#checkpoint();
  }

  /**
   * `found`: the same task as found again, if it was: its task file may have moved. `directories`: kept open while
   * many tasks are read at one point in time.
   */
  gather(
    host: Host,
    found: FoundTask = this.#found,
    locate: Locate = locateNow,
    directories?: Directories,
  ): Material {
    this.#found = found;
    this.#opening = this.#openingOf(found, directories);
    // Before the stream is read: by now, a runner that no longer holds the lock has written its last record.
    if (found.phase === 'active' && !found.unreadable) host.lookAtLocks();
    const problems = [...found.problems];
    const config = this.#config(problems);
    const stream = found.unreadable ? undefined : this.#stream(problems);
    let state = this.#file.replay.state();
    const last = state.statuses.at(-1);
    const over = isTerminalTaskState(last?.state);
    const removed = stream === undefined && !found.unreadable && this.#wasRemoved();
    const starts = this.#starts(host, this.#file.replay.state().header?.uid, problems);
    const runner = this.#runner(host, stream, last, over, starts);
    if (stream !== undefined && !over && runner.alive !== true) {
      state = this.#withCoordinators(state, problems);
    }
    return {
      found,
      stream: stream && {
        owner: host.userName(stream.uid) ?? String(stream.uid),
        mtimeMs: stream.mtimeMs,
      },
      preparedMs: stream === undefined ? this.#preparedMs() : undefined,
      state,
      config,
      runner,
      located: found.unreadable ? {} : locate(state.header ?? {}, found),
      leftovers: runner.alive === true || runner.foreign ? [] : leftoverPids(host, state, starts),
      bootTimeMs: over || runner.alive !== false ? undefined : bootAfter(host, last, starts),
      reasons: this.#options.history && !found.unreadable ? this.#reasons(problems) : [],
      moved: over && this.#wasMoved(),
      removed,
      problems: removed ? problems.map(asRemoved) : problems,
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
    starts: () => ExactStarts,
  ): RunnerLiveness {
    if (stream === undefined) return { alive: null, foreign: false };
    // Moving the task file is the runner's last action. The first read of /proc/locks costs 10 ms.
    if (over && this.#found.phase === 'finished') return { alive: false, foreign: false };
    const runner = runnerLiveness(host, stream, recordedRunner(last), starts);
    if (over || runner.alive !== false || this.#found.task_file !== undefined) return runner;
    // A runner takes its lock, then writes the task file: one that has just started may have taken it since.
    return runnerLiveness(host.again(), stream, recordedRunner(last), starts);
  }

  /** Read only if a decision depends on them. */
  #starts(host: Host, uid: number | undefined, problems: Problem[]): () => ExactStarts {
    let read: ExactStarts | undefined;
    return () => {
      if (read !== undefined) return read;
      const { starts, problem } = startsOfTask(this.#found, uid, host, this.#opening.directories);
      if (problem !== undefined) problems.push(problem);
      read = starts;
      return read;
    };
  }

  /** The task file is no longer among the active ones: the task may have ended since it was found. */
  #wasMoved(): boolean {
    const { phase, task_file } = this.#found;
    return phase === 'active' && (task_file === undefined || presenceOf(task_file, 'no-follow') === 'absent');
  }

  #wasRemoved(): boolean {
    const { checkpoint_dir, task_file } = this.#found;
    const isGone = (path: string) => presenceOf(path, 'no-follow') === 'absent';
    return isGone(checkpoint_dir) && (task_file === undefined || isGone(task_file));
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

  #reasons(problems: Problem[]): readonly Reason[] {
    const { reasons, problem } = readReasons(this.#found.checkpoint_dir, this.#opening);
    if (problem !== undefined) problems.push({ ...problem, task_id: this.#found.task_id });
    return reasons;
  }

  /** The stream's stat; undefined, with a problem reported, if it can't be opened. */
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
      const reported = this.#found.problems.some((problem) => problem.code === 'checkpoint-missing');
      const { task_id } = this.#found;
      if (errnoOf(error) !== 'ENOENT') problems.push({ ...unreadableCheckpoint(this.#path, error), task_id });
      else if (!reported) {
        problems.push({ ...this.#missing(error), task_id });
      }
      return undefined;
    }
  }

  /** Only a task that certainly began has lost its stream. */
  #missing(error: unknown): Problem {
    const isGone = this.#wasRemoved() || !this.#isUnstarted();
    return isGone ? unreadableCheckpoint(this.#path, error) : notStarted(this.#path);
  }

  /**
   * Does nothing show that the task ever began? A runner makes the checkpoint directory, then the stream; the original
   * writes the task file first. Streams of processes show that the runner's own was lost, unless a gc was removing them.
   */
  #isUnstarted(): boolean {
    const { phase, checkpoint_dir } = this.#found;
    if (phase !== 'active') return false;
    try {
      const { entries, complete } = listDirectory(checkpoint_dir, {
        ...this.#opening,
        max: MOST_ENTRIES.other,
      });
      return complete && !entries.some(({ name }) => processOfName(name) !== undefined);
    } catch (error) {
      return errnoOf(error) === 'ENOENT';
    }
  }

  #preparedMs(): number | undefined {
    const { checkpoint_dir, task_file, phase, unreadable } = this.#found;
    if (phase !== 'active' || unreadable) return undefined;
    const times = [checkpoint_dir, task_file].flatMap((path) => mtimeOf(path) ?? []);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  #damaged(path: string, damage: Damage): Problem {
    const over = this.#found.phase === 'finished';
    return { ...damagedCheckpoint(path, damage, over), task_id: this.#found.task_id };
  }

  /** Without a runner, the coordinators' streams may hold more than its own. */
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

/** A task that was removed after it was found has lost nothing. */
function asRemoved(problem: Problem): Problem {
  return problem.code === 'checkpoint-missing' ? { ...problem, severity: 'warning' } : problem;
}

/** Undefined if it does not exist, or we may not know. */
function mtimeOf(path: string | undefined): number | undefined {
  try {
    return path === undefined ? undefined : statFile(path)?.mtimeMs;
  } catch {
    return undefined;
  }
}

function recordedRunner(status: TaskStatus | undefined) {
  return {
    pid: status?.runner_pid,
    uid: status?.runner_uid,
    timestampMs: status?.timestamp_ms === undefined ? undefined : Number(status.timestamp_ms),
  };
}

/**
 * When the machine booted, if that may have been since the runner recorded itself. The time of the boot moves when the clock
 * is set, so it does not count if the boot is the one of the runner.
 */
function bootAfter(host: Host, last: TaskStatus | undefined, starts: () => ExactStarts): number | undefined {
  const { bootTimeMs } = host;
  const { pid, timestampMs } = recordedRunner(last);
  if (bootTimeMs === undefined || timestampMs === undefined) return bootTimeMs;
  const start = starts().of(pid);
  if (start === 'earlier-boot') return Math.max(bootTimeMs, timestampMs + 1);
  return start === undefined ? bootTimeMs : undefined;
}

function leftoverPids(
  host: Host,
  { header, processes }: CheckpointState,
  starts: () => ExactStarts,
): number[] {
  const pids: number[] = [];
  for (const { runs } of processes.values()) {
    const run = runs.at(-1);
    if (run === undefined) continue;
    const isSame = (pid: number | undefined, time: number | undefined) =>
      isSameProcess(host, pid, time, header?.uid, starts);
    if (isSame(run.coordinator_pid, run.fork_time)) pids.push(run.coordinator_pid as number);
    if (isSame(run.pid, run.start_time)) pids.push(run.pid as number);
  }
  return pids;
}
