import type { Stats } from 'node:fs';
import {
  type CheckpointRecord,
  isLiveProcessState,
  isTerminalTaskState,
  type ProcessStatus,
  type TaskState,
} from '../checkpoint/records.js';
import { followingSeq } from '../checkpoint/transitions.js';
import { thermosCommand } from '../discovery/advised-command.js';
import { describeErrno, errnoOf, SystemError, ThermosError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { defaultLogDir } from '../layout/log-paths.js';
import { pathsOf, type TaskPlace } from '../layout/task-paths.js';
import { isWithin, parentOf } from '../store/paths.js';
import { moveTaskFile } from './finish.js';
import { mayExecute } from './owner.js';
import type { Processes } from './processes.js';
import { SandboxSharing } from './sandbox-sharing.js';
import { TaskProcesses } from './task-processes.js';
import { type TaskRecords, TaskStreams } from './task-streams.js';

/** The directories that processes of a task use on this machine; undefined if unknown. */
export interface TaskPlaces {
  readonly sandbox?: string;
  readonly logDir?: string;
}

/** The result of ending an orphan. */
export interface Ended {
  /** The state of the task now. */
  readonly state: TaskState;
  /** The pids that were found alive. */
  readonly signalled: readonly number[];
  readonly problems: readonly Problem[];
}

/** A dying process keeps its locks for a moment; so does a process that another one has just started. */
const COORDINATOR_RELEASE_MS = 5000;
const RUNNER_RELEASE_MS = 500;
const POLL_MS = 20;

/**
 * A task without a runner, whose lock we hold. Its processes are those on which its streams and the machine agree; its
 * task file is not needed. Nothing is signalled or recorded before it is certain that only root and the task's user can
 * have written the streams.
 */
export class Orphan {
  readonly #place: TaskPlace;
  readonly #places: TaskPlaces;
  readonly #processes: Processes;
  readonly #streams: TaskStreams;
  #records: TaskRecords;
  #task: TaskProcesses;

  /**
   * Throws SystemError `task-refused` if the task cannot be taken (its runner is alive, its stream is not as expected or
   * cannot be opened), and UsageError `task-untrusted`. Must be closed.
   */
  constructor(
    place: TaskPlace,
    places: TaskPlaces,
    processes: Processes,
    isExpected: (stream: Stats) => boolean = () => true,
  ) {
    this.#place = place;
    this.#places = places;
    this.#processes = processes;
    this.#streams = openStreams(place);
    try {
      this.#lock();
      const stream = this.#streams.stat();
      if (!this.#streams.isNamed()) throw refusal('it was removed meanwhile');
      if (stream.nlink !== 1) throw refusal('its stream has another name, which may belong to another task');
      if (!isExpected(stream)) throw refusal('its stream changed since the plan was made');
      this.#records = this.#look();
      const ownershipError = this.#streams.checkOwnership(this.#records.header?.uid);
      if (ownershipError !== undefined) throw ownershipError;
      this.#task = this.#taskProcesses();
    } catch (error) {
      this.#streams.close();
      throw error;
    }
  }

  /** Why nothing more can be recorded for it, if so. */
  get damage(): SystemError | undefined {
    const { damagedAt } = this.#records;
    if (damagedAt === undefined) return undefined;
    const hint = `look at it: ${thermosCommand(['read'], {}, [pathsOf(this.#place).stream])}`;
    return new SystemError('checkpoint-damaged', `its stream is damaged at byte ${damagedAt}`, hint);
  }

  /** The task's user by its header. */
  get uid(): number | undefined {
    return this.#records.header?.uid;
  }

  /** True if its last status is terminal. */
  get isOver(): boolean {
    return isTerminalTaskState(this.#records.last?.state);
  }

  /** Records CLEANING and asks its processes to end. */
  ask(nowMs: number): Problem[] {
    const { finalRecords, bytes, last, traces, runs } = this.#records;
    const asked = last?.state === 'CLEANING' || last?.state === 'FINALIZING';
    const status = asked ? last.state : 'CLEANING';
    this.#streams.append([...finalRecords, statusRecord(status as TaskState, nowMs)], bytes);
    this.#records = this.#look();
    const live = [...runs.values()].flatMap((run) => liveRun(run));
    return this.#task.terminate(live, traces);
  }

  /** The pids of its live processes. */
  alive(): number[] {
    return this.#task.alive(this.#records.traces).map(({ pid }) => pid);
  }

  /**
   * Kills its live processes, records the end of its open runs and of the task in one write, and moves its task file.
   * If the task is over, only moves the file. Throws SystemError without recording anything: `task-refused` if a
   * coordinator is alive that cannot be identified, `checkpoint-damaged` before anything is done.
   */
  end(becomes: 'KILLED' | 'LOST', now: () => number): Ended {
    const { last } = this.#records;
    if (this.isOver) {
      this.#move(now());
      return { state: last?.state as TaskState, signalled: [], problems: [] };
    }
    if (this.damage !== undefined) throw this.damage;
    const open = this.#open();
    this.#waitForStrangers(open);
    const { signalled, problems } = this.endProcesses();
    const held = this.#waitUntilFree([...open.keys()]);
    if (held !== undefined) throw this.#coordinated(held);
    this.#records = this.#look();
    const { finalRecords, runs, bytes } = this.#records;
    const nowMs = now();
    const killed = new Set(signalled);
    const ends = [...runs.values()].flatMap((run) => endRecord(run, killed, nowMs));
    this.#streams.append([...finalRecords, ...ends, statusRecord(becomes, nowMs)], bytes);
    this.#move(nowMs);
    return { state: becomes, signalled, problems: [...this.#records.problems, ...problems] };
  }

  /** Kills its live processes and records nothing. */
  endProcesses(): Omit<Ended, 'state'> {
    const { alive, problems } = this.#task.endAll(this.#records.traces);
    return { signalled: [...alive], problems };
  }

  close(): void {
    this.#streams.close();
  }

  /** A runner that has just ended keeps its lock for a moment. */
  #lock(): void {
    const until = this.#processes.clock() + RUNNER_RELEASE_MS;
    while (!this.#streams.lock()) {
      if (this.#processes.clock() < until) {
        this.#processes.pause(POLL_MS);
        continue;
      }
      const holders = this.#processes.locks().holders(this.#streams.stat());
      const who = holders.length === 0 ? '' : `: process ${holders.join(', ')} holds its lock`;
      throw refusal(`its runner is alive${who}`);
    }
  }

  #look(): TaskRecords {
    return this.#streams.read(this.#processes.bootTimeMs());
  }

  #taskProcesses(): TaskProcesses {
    const streams = this.#streams;
    return taskProcesses(this.#place, this.#places, this.#records.header?.uid, streams, this.#processes);
  }

  /** The runs that have not ended. */
  #open(): ReadonlyMap<string, ProcessStatus> {
    const { runs } = this.#records;
    return new Map([...runs].filter(([, { state }]) => state === 'FORKED' || state === 'RUNNING'));
  }

  /** Waits for coordinators that hold their locks but cannot be identified as the task's own. */
  #waitForStrangers(open: ReadonlyMap<string, ProcessStatus>): void {
    const known = new Set(this.alive());
    const strange = [...open].filter(([, { coordinator_pid }]) => !known.has(coordinator_pid as number));
    const held = this.#waitUntilFree(strange.map(([process]) => process));
    if (held !== undefined) throw this.#coordinated(held);
  }

  /** Waits until the streams of these processes are unlocked. Returns the first process whose stream stays locked. */
  #waitUntilFree(processes: readonly string[]): string | undefined {
    const until = this.#processes.clock() + COORDINATOR_RELEASE_MS;
    let left = processes;
    for (;;) {
      const locks = left.length === 0 ? undefined : this.#processes.locks();
      left = left.filter((process) => {
        const stream = this.#streams.coordinator(process);
        return stream !== undefined && locks?.isLocked(stream) === true;
      });
      if (left.length === 0 || this.#processes.clock() >= until) return left[0];
      this.#processes.pause(POLL_MS);
    }
  }

  #coordinated(process: string): SystemError {
    const stream = this.#streams.coordinator(process);
    const holders = stream === undefined ? [] : this.#processes.locks().holders(stream);
    const who = holders.length === 0 ? '' : ` (its lock is held by process ${holders.join(', ')})`;
    return refusal(`the coordinator of process ${process} is alive, but its pid cannot be determined${who}`);
  }

  #move(nowMs: number): void {
    try {
      moveTaskFile(this.#place, nowMs);
    } catch (error) {
      const message = `its task file cannot be moved to the finished ones: ${describeErrno(error)}`;
      throw new SystemError('task-file-unwritable', message, undefined, error);
    }
  }
}

/** The processes of a task whose files are trusted. */
export function taskProcesses(
  place: TaskPlace,
  { sandbox, logDir }: TaskPlaces,
  uid: number | undefined,
  streams: TaskStreams,
  processes: Processes,
): TaskProcesses {
  // Root in a container may have recorded any path on the machine.
  const around = parentOf(place.root);
  const isMark = (path: string | undefined) =>
    path !== undefined && (mayExecute(place.root) || isWithin(path, around)) ? path : undefined;
  const home = isMark(sandbox);
  const logs = isMark(logDir) ?? (home && defaultLogDir(home));
  return new TaskProcesses(processes, {
    owner: streams.owner(uid),
    coordinator: (process) => streams.coordinator(process),
    starts: streams.starts(uid).starts,
    home,
    logDir: logs,
    sharing: new SandboxSharing(place, home, logs ?? ''),
  });
}

function openStreams(place: TaskPlace): TaskStreams {
  try {
    return new TaskStreams(place, 'write');
  } catch (error) {
    if (error instanceof ThermosError) throw error;
    const missing = errnoOf(error) === 'ENOENT';
    throw refusal(
      missing ? 'it has no stream' : `its stream cannot be opened: ${describeErrno(error)}`,
      error,
    );
  }
}

/** Why a task is not ended. */
function refusal(why: string, cause?: unknown): SystemError {
  return new SystemError('task-refused', why, undefined, cause);
}

function liveRun({ process, state, coordinator_pid, fork_time, pid, start_time }: ProcessStatus) {
  if (!isLiveProcessState(state)) return [];
  if (process === undefined || coordinator_pid === undefined || fork_time === undefined) return [];
  return [{ process, coordinator_pid, fork_time, pid, start_time }];
}

/** The last record of an open run; empty for a run that has ended or never left WAITING. */
function endRecord(run: ProcessStatus, killed: ReadonlySet<number>, nowMs: number): CheckpointRecord[] {
  const { process, state, pid, coordinator_pid } = run;
  if (!isLiveProcessState(state)) return [];
  const next = { process, seq: followingSeq(run.seq ?? -1) };
  const ours = [pid, coordinator_pid].some((each) => each !== undefined && killed.has(each));
  const value: ProcessStatus = ours
    ? { ...next, state: 'KILLED', stop_time: nowMs / 1000, return_code: -9 }
    : { ...next, state: 'LOST' };
  return [{ type: 'process_status', value }];
}

function statusRecord(state: TaskState, nowMs: number): CheckpointRecord {
  return {
    type: 'task_status',
    value: {
      state,
      timestamp_ms: Math.round(nowMs),
      runner_pid: process.pid,
      runner_uid: process.getuid?.() ?? 0,
    },
  };
}
