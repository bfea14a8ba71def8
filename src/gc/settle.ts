import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  type Stats,
  statSync,
} from 'node:fs';
import { encodeRecord, recordIn } from '../checkpoint/codec.js';
import { encodeFrame, RecordScanner } from '../checkpoint/framing.js';
import { readStream } from '../checkpoint/reader.js';
import {
  type CheckpointRecord,
  isTerminalProcessState,
  isTerminalTaskState,
  type ProcessStatus,
} from '../checkpoint/records.js';
import { type CheckpointState, Replay } from '../checkpoint/replay.js';
import { CheckpointWriter } from '../checkpoint/writer.js';
import { errnoOf } from '../errors/errors.js';
import { tryLock } from '../host/flock.js';
import { Host } from '../host/host.js';
import { parseProcessStat } from '../host/process-stat.js';
import { at, type Directories } from '../store/directories.js';
import { isSame } from '../store/identity.js';
import { OpenFile } from '../store/open-file.js';
import { isSameProcess } from '../task/liveness.js';
import type { Settlement } from './standing.js';
import type { StreamStat, Subject } from './subject.js';

/** How a settlement went. */
export interface Settled {
  result: 'done' | 'refused' | 'failed';
  why?: string;
  /** Pids that were killed. */
  killed: number[];
}

/** What settling does to the machine. */
export interface SettleDeeds {
  kill: (pid: number, signal: NodeJS.Signals) => void;
  rename: (from: string | Buffer, to: string | Buffer) => void;
  /** Milliseconds since the epoch. */
  clock: () => number;
}

export const SETTLE_DEEDS: Omit<SettleDeeds, 'clock'> = {
  kill: (pid, signal) => process.kill(pid, signal),
  rename: renameSync,
};

/** How long killed processes may take to be gone. */
const PATIENCE_MS = 5000;
const LOOK_AGAIN_MS = 10;

/** Thrown within for what speaks against settling. */
class Refusal extends Error {}

/** The directories of a task, without links. */
export interface Places {
  checkpointDir: string;
  tasks: string;
}

/**
 * Ends a task whose runner died, under the runner's own lock: what its coordinators recorded after it is taken
 * over, its processes that live on are killed if they are certainly its own, open runs and the task get their
 * last status, and the task file moves to the finished ones. Nothing is written if the stream is not as it was
 * when the plan was made, or if somebody holds the lock. Can be done again after an interruption.
 */
export function settle(
  subject: Subject,
  settlement: Settlement,
  places: Places,
  directories: Directories,
  deeds: SettleDeeds,
): Settled {
  const killed: number[] = [];
  let fd: number | undefined;
  try {
    const directory = directories.fdWithoutLinks(places.checkpointDir);
    fd = openStream(directory, subject, settlement.signal !== undefined);
    if (settlement.signal !== undefined) {
      signalRunner(fd, settlement.signal, deeds);
      return { result: 'done', killed: [settlement.signal] };
    }
    if (!tryLock(fd)) throw new Refusal('its runner lives');
    const task = new Orphan(directory, fd, subject.authors);
    if (settlement.record && !isTerminalTaskState(task.look().status)) {
      killed.push(...task.kill(deeds));
      task.end(settlement.becomes, killed, deeds.clock());
    }
    moveTaskFile(subject.task_id, places.tasks, directories, deeds);
    return { result: 'done', killed };
  } catch (error) {
    const why = (error as Error).message;
    return { result: error instanceof Refusal ? 'refused' : 'failed', why, killed };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** `live`: its runner may have written since. */
function openStream(directory: number, { stream }: Subject, live: boolean): number {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = openSync(at(directory, 'runner'), flags);
  const stat = fstatSync(fd);
  const planned = stream as StreamStat;
  const why = !stat.isFile()
    ? 'its stream is no regular file'
    : stat.nlink !== 1
      ? 'its stream has another name, maybe that of another task'
      : stat.ino !== planned.ino || stat.dev !== planned.dev || (!live && stat.size !== planned.size)
        ? 'its stream changed since the plan was made'
        : undefined;
  if (why === undefined) return fd;
  closeSync(fd);
  throw new Refusal(why);
}

/**
 * SIGUSR1 tells a runner, the original's too, to end its task properly. Its pid is the recorded one; that it is
 * the runner is certain if it has the locked stream open. (/proc/locks names the process that took the lock,
 * and that of our runner's was a short-lived flock(1).)
 */
function signalRunner(fd: number, pid: number, deeds: SettleDeeds): void {
  const stream = fstatSync(fd);
  if (Host.local().isLocked(stream) !== true || !hasOpen(pid, stream)) {
    throw new Refusal(`it can't be made sure that process ${pid} is its runner`);
  }
  deeds.kill(pid, 'SIGUSR1');
}

function hasOpen(pid: number, file: Stats): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const stat = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
      return stat !== undefined && isSame(stat, file);
    });
  } catch {
    return false;
  }
}

/** A task without a runner, whose lock we hold. */
class Orphan {
  readonly #directory: number;
  readonly #fd: number;
  readonly #authors: readonly number[];

  /** `authors`: users other than root who may have written what the streams say. */
  constructor(directory: number, fd: number, authors: readonly number[]) {
    this.#directory = directory;
    this.#fd = fd;
    this.#authors = authors;
  }

  /**
   * The streams as they are now: the runner's, how long its good part is, what the coordinators recorded
   * after it, and the state with all that. Throws Refusal if the runner's is damaged.
   */
  look(): { state: CheckpointState; status: unknown; bytes: number; lastWords: CheckpointRecord[] } {
    const replay = new Replay({ history: false });
    const { damage } = readStream(OpenFile.of(this.#fd, 'runner'), replay);
    if (damage?.kind === 'damaged') throw new Refusal(`its stream is damaged at byte ${damage.offset}`);
    const { bytes } = replay;
    const lastWords: CheckpointRecord[] = [];
    for (const [process, { runs }] of replay.state().processes) {
      if (isTerminalProcessState(runs.at(-1)?.state)) continue;
      this.#read(process, (record) => {
        const before = replay.state().processes.get(process)?.runs.at(-1)?.seq;
        const frame = encodeFrame(encodeRecord(record));
        replay.coordinator(process).feed(frame, 0, frame.length);
        if (replay.state().processes.get(process)?.runs.at(-1)?.seq !== before) lastWords.push(record);
      });
    }
    const state = replay.state();
    return { state, status: state.statuses.at(-1)?.state, bytes, lastWords };
  }

  /** Kills what lives on of the task; throws Refusal if something does that can't be told to be its own. */
  kill(deeds: SettleDeeds): number[] {
    const pids = this.#living();
    for (const pid of pids) {
      try {
        deeds.kill(groupOf(pid, pids), 'SIGKILL');
      } catch (error) {
        if (errnoOf(error) !== 'ESRCH') throw error;
      }
    }
    const deadline = deeds.clock() + PATIENCE_MS;
    while (pids.length > 0 && this.#living().length > 0) {
      if (deeds.clock() > deadline) throw new Error(`processes ${pids.join(', ')} do not end`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
    }
    return pids;
  }

  /** Writes the last statuses. `killed` are the pids that were killed for it. */
  end(becomes: string, killed: readonly number[], now: number): void {
    const { state, bytes, lastWords } = this.look();
    // A record that was cut short by the runner's death would hide all that follows.
    if (fstatSync(this.#fd).size > bytes) ftruncateSync(this.#fd, bytes);
    const writer = new CheckpointWriter(this.#fd);
    for (const record of lastWords) writer.append(record);
    for (const [process, { runs }] of state.processes) {
      const value = lastStatus(process, runs.at(-1), killed, now);
      if (value !== undefined) writer.append({ type: 'process_status', value });
    }
    writer.append({
      type: 'task_status',
      value: {
        state: becomes as 'LOST',
        timestamp_ms: now,
        runner_pid: process.pid,
        runner_uid: process.getuid?.() ?? 0,
      },
    });
  }

  #living(): number[] {
    const host = Host.local();
    const { header, processes } = this.look().state;
    const pids: number[] = [];
    for (const [process, { runs }] of processes) {
      const run = runs.at(-1);
      if (run === undefined) continue;
      const coordinator = isSameProcess(host, run.coordinator_pid, run.fork_time, header?.uid);
      if (coordinator) pids.push(this.#own(run.coordinator_pid as number, process));
      if (isSameProcess(host, run.pid, run.start_time, header?.uid)) {
        pids.push(this.#own(run.pid as number, process));
      }
      const stream = coordinator ? undefined : this.#stat(process);
      if (stream !== undefined && host.isLocked(stream) === true) {
        throw new Refusal(
          `the coordinator of process ${process} lives, and it can't be told which pid it has`,
        );
      }
    }
    return pids.filter((pid) => pid !== process.pid);
  }

  /**
   * The pid again; throws Refusal if somebody may have written it down who could not kill that process himself.
   * A coordinator, root's too, is known by its own locked stream.
   */
  #own(pid: number, process: string): number {
    const host = Host.local();
    const owner = host.process(pid)?.uid;
    if (this.#authors.length === 0 || owner === undefined || this.#authors.includes(owner)) return pid;
    const stream = this.#stat(process);
    if (stream !== undefined && host.isLocked(stream) === true && hasOpen(pid, stream)) return pid;
    throw new Refusal(
      `process ${pid} belongs to uid ${owner}, and its checkpoint may be written by uid ${this.#authors.join(', ')}`,
    );
  }

  #stat(process: string): Stats | undefined {
    return this.#open(process, (fd) => fstatSync(fd));
  }

  #read(process: string, record: (record: CheckpointRecord) => void): void {
    this.#open(process, (fd) => {
      const scanner = new RecordScanner((decoder) => {
        record(recordIn(decoder));
        return undefined;
      });
      readStream(OpenFile.of(fd, process), scanner);
    });
  }

  /** Undefined if there is no stream of the process; a link, or a name that leads elsewhere, is none. */
  #open<T>(process: string, use: (fd: number) => T): T | undefined {
    if (process.includes('/') || process.includes('\0')) return undefined;
    let fd: number;
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      fd = openSync(at(this.#directory, `coordinator.${process}`), flags);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return undefined;
      throw error;
    }
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  }
}

/** The group of a process, negative as kill(2) has it, if a coordinator leads it: its command's children are in it. */
function groupOf(pid: number, ours: readonly number[]): number {
  const group = groupIn(`/proc/${pid}/stat`);
  const led = group !== undefined && group > 1 && ours.includes(group);
  return led && group !== groupIn('/proc/self/stat') ? -group : pid;
}

function groupIn(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    if (parseProcessStat(text) === undefined) return undefined;
    // After the command in its parentheses: state, parent, group (proc(5)).
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return undefined;
  }
}

/** How an open run ends; undefined for one that is over or never left WAITING. */
function lastStatus(
  process: string,
  run: ProcessStatus | undefined,
  killed: readonly number[],
  now: number,
): ProcessStatus | undefined {
  if (run?.state !== 'FORKED' && run?.state !== 'RUNNING') return undefined;
  const seq = BigInt(run.seq ?? -1) + 1n;
  const next = { process, seq: seq <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seq) : seq };
  const ours = [run.pid, run.coordinator_pid].some((pid) => pid !== undefined && killed.includes(pid));
  return ours
    ? { ...next, state: 'KILLED', stop_time: now / 1000, return_code: -9 }
    : { ...next, state: 'LOST' };
}

/** The task file goes to the finished ones; its time says when the task ended. */
function moveTaskFile(taskId: string, tasks: string, directories: Directories, deeds: SettleDeeds): void {
  const name = taskId;
  let active: number;
  try {
    active = directories.fdWithoutLinks(`${tasks}/active`);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    mkdirSync(at(directories.fdWithoutLinks(tasks), 'finished'));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const finished = directories.fdWithoutLinks(`${tasks}/finished`);
  try {
    deeds.rename(at(active, name), at(finished, name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  const now = deeds.clock() / 1000;
  lutimesSync(at(finished, name), now, now);
}
