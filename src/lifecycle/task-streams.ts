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
import { pathsOf, type TaskPlace } from '../layout/task-paths.js';
import { Directories } from '../store/directories.js';
import { statFile } from '../store/look.js';
import { OpenFile, openFile, useFile } from '../store/open-file.js';
import { namesBelow } from '../store/paths.js';
import { findStranger, type Witness, wayTo, witness } from '../store/witnesses.js';
import { unreadableCheckpoint } from '../task/checkpoint-problems.js';
import { recordsBetween } from './final-records.js';
import type { RunTrace } from './own-processes.js';
import { type Owner, ownerOf } from './owner.js';
import { RunTraces } from './run-traces.js';
import { baseOf, trustedUsers, untrusted } from './trust.js';

/** What the streams of a task say together. */
export interface TaskRecords {
  readonly header: RunnerHeader | undefined;
  readonly last: TaskStatus | undefined;
  /** The latest run of each process, with what its coordinator recorded after the runner. */
  readonly runs: ReadonlyMap<string, ProcessStatus>;
  /** What the coordinators recorded after the runner, in the order of the processes. */
  readonly finalRecords: readonly CheckpointRecord[];
  /** Of all runs that may have left something behind. */
  readonly traces: readonly RunTrace[];
  /** How long the good part of the runner's stream is. */
  readonly bytes: number;
  /** Where the runner's stream is damaged, if it is; a record cut short at its end is no damage. */
  readonly damagedAt: number | undefined;
  /** Streams of coordinators that could not be read. */
  readonly problems: readonly Problem[];
}

/** The stream of a process, as it is on disk; undefined if there is none that is a regular file of one name. */
export function coordinatorStat(
  place: TaskPlace,
  process: string,
  directories?: Directories,
): Stats | undefined {
  const path = pathsOf(place).coordinator(process);
  if (path === undefined) return undefined;
  try {
    const stat = statFile(path, { below: baseOf(place.root), directories });
    // One with another name is maybe the stream of another task's process.
    return stat?.isFile() && stat.nlink <= 1 ? stat : undefined;
  } catch {
    // A directory on the way was exchanged: there is nothing to be said of it.
    return undefined;
  }
}

/**
 * The streams of a task, open. What was opened is what is locked, read, cut and written; below the root no link is
 * followed. Close them.
 */
export class TaskStreams {
  readonly place: TaskPlace;
  readonly #base: string;
  readonly #directories = new Directories();
  readonly #file: OpenFile;

  /** Throws system errors and RefusedError. `write` for who is going to lock it. */
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

  /** Of the runner's stream, as it is now. */
  stat(): Stats {
    return this.#file.statNow();
  }

  /**
   * The error of streams that somebody else than root, ourselves and this user may have written: what was opened is
   * what is looked at, and the directories that led there. The task file says nothing of processes, and is not asked.
   */
  checkOwnership(uid: number | undefined): UsageError | undefined {
    const { root, taskId } = this.place;
    try {
      const trusted = trustedUsers(uid, process.geteuid?.() ?? 0);
      const stranger = findStranger(this.#witnesses(), trusted, accountGroups());
      return stranger && untrusted(taskId, uid, stranger);
    } catch (error) {
      const message = `cannot determine who may have written the streams of task ${taskId} in ${root}`;
      return new UsageError('task-untrusted', `${message}: ${describeErrno(error)}`);
    }
  }

  /** Whose processes they may name. */
  owner(uid: number | undefined): Owner {
    return ownerOf(this.place.root, uid, () => this.checkOwnership(0) === undefined);
  }

  *#witnesses(): Generator<Witness> {
    const { directory } = pathsOf(this.place);
    yield* wayTo(this.#base, namesBelow(directory, this.#base) as string[], this.#directories);
    yield witness(this.#file.path, this.#file.statNow());
  }

  /** See `tryLock`. */
  lock(): boolean {
    return tryLock(this.#file.fd);
  }

  /** Has the stream still its name? Whoever removes one holds its lock. */
  isNamed(): boolean {
    const named = statFile(this.#file.path, this.#within);
    const { dev, ino } = this.stat();
    return named?.ino === ino && named.dev === dev;
  }

  /** The stream of a process, as it is on disk; undefined if there is none that is a regular file. */
  coordinator(process: string): Stats | undefined {
    return coordinatorStat(this.place, process, this.#directories);
  }

  /** The header and the last status, as they are now. Throws system errors. */
  ends(): Pick<TaskRecords, 'header' | 'last'> {
    const replay = new Replay({ history: false });
    this.#feed(this.#file, replay);
    const { header, statuses } = replay.state();
    return { header: header ?? undefined, last: statuses.at(-1) };
  }

  /** What the streams say now. `bootTimeMs`: what was forked before left nothing. Throws system errors. */
  read(bootTimeMs: number): TaskRecords {
    const replay = new Replay({ history: false });
    const damage = this.#feed(this.#file, replay);
    const { bytes } = replay;
    const before = replay.state();
    const traces = new RunTraces(bootTimeMs);
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
      traces: traces.all(),
      bytes,
      damagedAt: damage?.kind === 'damaged' ? damage.offset : undefined,
      problems,
    };
  }

  /** Appends records to the runner's stream, in one write, after cutting it to its good part. */
  append(records: readonly CheckpointRecord[], bytes: number): void {
    // A record that was cut short by the runner's death would hide all that follows.
    if (this.#file.statNow().size > bytes) ftruncateSync(this.#file.fd, bytes);
    new CheckpointWriter(this.#file.fd).appendAll(records);
  }

  close(): void {
    this.#file.close();
    this.#directories.close();
  }

  #feed(file: OpenFile, consumer: StreamConsumer) {
    // A stream that was read before may have grown.
    return readStream(OpenFile.of(file.fd, file.path), consumer).damage;
  }

  /** What can't be read is told, and the task is ended by what the runner's own stream says. */
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
