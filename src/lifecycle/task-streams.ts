import type { Stats } from 'node:fs';
import { ftruncateSync } from 'node:fs';
import { RecordLister } from '../checkpoint/follow.js';
import type { StreamConsumer } from '../checkpoint/framing.js';
import { readStream } from '../checkpoint/reader.js';
import {
  type CheckpointRecord,
  isTerminalProcessState,
  type ProcessStatus,
  type RunnerHeader,
  type TaskStatus,
} from '../checkpoint/records.js';
import { Replay } from '../checkpoint/replay.js';
import { CheckpointWriter } from '../checkpoint/writer.js';
import { describeErrno, errnoOf, UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { tryLock } from '../host/flock.js';
import { accountGroups } from '../host/groups.js';
import { Host } from '../host/host.js';
import type { ExactStarts } from '../layout/starts.js';
import { pathsOf, type TaskPlace } from '../layout/task-paths.js';
import { Directories } from '../store/directories.js';
import { statFile } from '../store/look.js';
import { OpenFile, openFile, useFile } from '../store/open-file.js';
import { directoriesTo, findUntrusted, type PathOwner, pathOwner } from '../store/ownership.js';
import { namesBelow } from '../store/paths.js';
import { unreadableCheckpoint } from '../task/checkpoint-problems.js';
import { readStarts } from '../task/starts.js';
import { recordsBetween } from './final-records.js';
import type { RunTrace } from './own-processes.js';
import { type Owner, ownerOf } from './owner.js';
import { RunTraces, sinceBoot } from './run-traces.js';
import { baseOf, trustedUsers, untrusted } from './trust.js';

/** The combined records of a task's streams. */
export interface TaskRecords {
  readonly header: RunnerHeader | undefined;
  readonly last: TaskStatus | undefined;
  /** The latest run of each process, including the final records of its coordinator. */
  readonly runs: ReadonlyMap<string, ProcessStatus>;
  /** The final records of the coordinators, which the runner has not copied, in the order of the processes. */
  readonly finalRecords: readonly CheckpointRecord[];
  /** Of all runs that may have left processes behind. */
  readonly traces: readonly RunTrace[];
  /** The length of the valid part of the runner's stream. */
  readonly bytes: number;
  /** The offset of the first damage in the runner's stream; a truncated last record does not count. */
  readonly damagedAt: number | undefined;
  /** What could not be read beside the runner's stream. */
  readonly problems: readonly Problem[];
}

/** Stats of a process's stream; undefined unless it is a regular file with one name. */
export function coordinatorStat(
  place: TaskPlace,
  process: string,
  directories?: Directories,
): Stats | undefined {
  const path = pathsOf(place).coordinator(process);
  if (path === undefined) return undefined;
  try {
    const stat = statFile(path, { below: baseOf(place.root), directories });
    // A file with a second name may be the stream of another task's process.
    return stat?.isFile() && stat.nlink <= 1 ? stat : undefined;
  } catch {
    // A directory on the way was replaced: nothing is known about the stream.
    return undefined;
  }
}

/**
 * The open streams of a task. Locks, reads, truncates and writes exactly the opened files, and follows no link below the
 * root. Must be closed.
 */
export class TaskStreams {
  readonly place: TaskPlace;
  readonly #base: string;
  readonly #directories = new Directories();
  readonly #file: OpenFile;
  #starts: { starts: ExactStarts; problem?: Problem } | undefined;

  /** Throws system errors and RefusedError. `write` is needed to lock it. */
  constructor(place: TaskPlace, access: 'read' | 'write') {
    this.place = place;
    this.#base = baseOf(place.root);
    try {
      this.#file = openFile(pathsOf(place).stream, { ...this.#within, access });
    } catch (error) {
      this.#directories.close();
      throw error;
    }
  }

  get #within() {
    return { below: this.#base, directories: this.#directories };
  }

  /** Current stats of the runner's stream. */
  stat(): Stats {
    return this.#file.statNow();
  }

  /**
   * Returns the error `task-untrusted` if anyone but root, ourselves and this user may have written the streams. Checks
   * the opened file and the directories above it, but not the task file, which says nothing about processes.
   */
  checkOwnership(uid: number | undefined): UsageError | undefined {
    const { root, taskId } = this.place;
    try {
      const trusted = trustedUsers(uid, process.geteuid?.() ?? 0);
      const stranger = findUntrusted(this.#pathOwners(), trusted, accountGroups());
      return stranger && untrusted(taskId, uid, stranger);
    } catch (error) {
      const message = `cannot determine who may have written the streams of task ${taskId} in ${root}`;
      return new UsageError('task-untrusted', `${message}: ${describeErrno(error)}`);
    }
  }

  /** The user whose processes the streams may name. */
  owner(uid: number | undefined): Owner {
    return ownerOf(this.place.root, uid, () => this.checkOwnership(0) === undefined);
  }

  /** The exact starts that the runners of this user's task kept, as they are at the first call. */
  starts(uid: number | undefined): { starts: ExactStarts; problem?: Problem } {
    const { directory } = pathsOf(this.place);
    const trusted = trustedUsers(uid, process.geteuid?.() ?? 0);
    this.#starts ??= readStarts(directory, this.#within, trusted, Host.local().bootId());
    return this.#starts;
  }

  *#pathOwners(): Generator<PathOwner> {
    const { directory } = pathsOf(this.place);
    yield* directoriesTo(this.#base, namesBelow(directory, this.#base) as string[], this.#directories);
    yield pathOwner(this.#file.path, this.#file.statNow());
  }

  /** See `tryLock`. */
  lock(): boolean {
    return tryLock(this.#file.fd);
  }

  /** Does the stream still have its name? A stream is removed only while its lock is held. */
  isNamed(): boolean {
    const named = statFile(this.#file.path, this.#within);
    const { dev, ino } = this.stat();
    return named?.ino === ino && named.dev === dev;
  }

  /** Stats of a process's stream; undefined unless it is a regular file. */
  coordinator(process: string): Stats | undefined {
    return coordinatorStat(this.place, process, this.#directories);
  }

  /** The current header and last status. Throws system errors. */
  ends(): Pick<TaskRecords, 'header' | 'last'> {
    const replay = new Replay({ history: false });
    this.#feed(this.#file, replay);
    const { header, statuses } = replay.state();
    return { header: header ?? undefined, last: statuses.at(-1) };
  }

  /** Reads the streams. `bootTimeMs`: runs from before left no processes. Throws system errors. */
  read(bootTimeMs: number): TaskRecords {
    const replay = new Replay({ history: false });
    const damage = this.#feed(this.#file, replay);
    const { bytes } = replay;
    const before = replay.state();
    const traces = new RunTraces();
    const lister = new RecordLister((record, offset) => {
      if (offset < bytes) traces.add(record);
    });
    this.#feed(this.#file, lister);
    const problems: Problem[] = [];
    for (const [process, { runs }] of before.processes) {
      if (isTerminalProcessState(runs.at(-1)?.state)) continue;
      this.#readCoordinator(process, replay.coordinator(process), problems);
    }
    const after = replay.state();
    const { starts, problem } = this.starts(after.header?.uid);
    if (problem !== undefined) problems.push({ ...problem, task_id: this.place.taskId });
    const finalRecords: CheckpointRecord[] = [];
    const runs = new Map<string, ProcessStatus>();
    for (const [process, history] of after.processes) {
      const run = history.runs.at(-1) as ProcessStatus;
      const was = before.processes.get(process)?.runs.at(-1);
      runs.set(process, run);
      for (const value of recordsBetween(was, run)) {
        const record: CheckpointRecord = { type: 'process_status', value };
        traces.add(record);
        finalRecords.push(record);
      }
    }
    return {
      header: after.header ?? undefined,
      last: after.statuses.at(-1),
      runs,
      finalRecords,
      traces: sinceBoot(traces.all(), starts, bootTimeMs),
      bytes,
      damagedAt: damage?.kind === 'damaged' ? damage.offset : undefined,
      problems,
    };
  }

  /** Truncates the runner's stream to its valid part and appends records in one write. */
  append(records: readonly CheckpointRecord[], bytes: number): void {
    // A record truncated by the runner's death would hide everything after it.
    if (this.#file.statNow().size > bytes) ftruncateSync(this.#file.fd, bytes);
    new CheckpointWriter(this.#file.fd).appendAll(records);
  }

  close(): void {
    this.#file.close();
    this.#directories.close();
  }

  #feed(file: OpenFile, consumer: StreamConsumer) {
    // The stream may have grown since the last read.
    return readStream(OpenFile.of(file.fd, file.path), consumer).damage;
  }

  /** An unreadable stream is reported, and the task is ended by the records of the runner's own stream. */
  #readCoordinator(process: string, consumer: StreamConsumer, problems: Problem[]): void {
    const path = pathsOf(this.place).coordinator(process);
    if (path === undefined) return;
    try {
      useFile(path, { ...this.#within, oneName: true }, (file) => this.#feed(file, consumer));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      problems.push({ ...unreadableCheckpoint(path, error), task_id: this.place.taskId, process });
    }
  }
}
