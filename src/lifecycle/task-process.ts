import type { ProcessStatus } from '../checkpoint/records.js';
import { errnoOf, SystemError, ThermosError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { ProcessRow } from '../host/process-table.js';
import type { Reason } from '../layout/reasons.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { unreadable } from '../store/problems.js';
import { keepReason } from './keep-reason.js';
import { type TaskPlaces, taskProcesses } from './orphan.js';
import type { RecordedRun } from './own-processes.js';
import type { Processes, ProcessLook } from './processes.js';
import type { ProcessesOfRun } from './run-processes.js';
import { type FoundRunner, findRunner } from './runner-process.js';
import type { TaskProcesses } from './task-processes.js';
import { type TaskRecords, TaskStreams } from './task-streams.js';

/** A run whose command was started. */
export interface StartedRun extends RecordedRun {
  readonly pid: number;
  readonly start_time: number;
}

/**
 * One process of a task, of which the streams are trusted: only root, ourselves and the task's user can have written
 * them. Its processes are those on which the streams and the machine agree.
 */
export class TaskProcess {
  readonly #place: TaskPlace;
  readonly #name: string;
  readonly #processes: Processes;
  readonly #streams: TaskStreams;
  #records: TaskRecords;
  readonly #task: TaskProcesses;

  /** Throws SystemError `checkpoint-unreadable`, and UsageError `task-untrusted`. Must be closed. */
  constructor(place: TaskPlace, places: TaskPlaces, name: string, processes: Processes) {
    this.#place = place;
    this.#name = name;
    this.#processes = processes;
    this.#streams = readable(place, () => new TaskStreams(place, 'read'));
    try {
      this.#records = this.#read();
      const { header } = this.#records;
      const ownershipError = this.#streams.checkOwnership(header?.uid);
      if (ownershipError !== undefined) throw ownershipError;
      this.#task = taskProcesses(place, places, header?.uid, this.#streams, processes);
    } catch (error) {
      this.#streams.close();
      throw error;
    }
  }

  /** The task's user by its header. */
  get uid(): number | undefined {
    return this.#records.header?.uid;
  }

  /** What could not be read beside the task's own stream. */
  get problems(): readonly Problem[] {
    return this.#records.problems;
  }

  /** Its latest run as the streams record it now. Throws SystemError `checkpoint-unreadable`. */
  latestRun(): ProcessStatus | undefined {
    this.#records = this.#read();
    return this.#records.runs.get(this.#name);
  }

  /** The live runner of the task. */
  runner(): FoundRunner {
    const { last, header } = this.#records;
    return findRunner(this.#processes, this.#streams.stat(), last, this.#streams.owner(header?.uid));
  }

  /** The live processes of its run with this number. */
  processesOf(run: RecordedRun, index: number): ProcessesOfRun {
    return this.#task.ofRun(run, index, this.#records.traces);
  }

  /** The process as it is now; undefined if it is gone and its pid may be somebody else's. */
  look({ pid, startTimeTicks }: ProcessRow): ProcessLook | undefined {
    const now = this.#processes.look(pid);
    return now?.startTimeTicks === startTimeTicks && !now.isDead ? now : undefined;
  }

  /** Sends a signal to one of its processes. */
  signal(row: ProcessRow, signal: NodeJS.Signals | number): 'sent' | 'gone' | Problem {
    return this.#task.signal(row, signal);
  }

  /** Keeps a reason beside the stream of the task. */
  keepReason(reason: Reason): void {
    keepReason(this.#place, { ...reason, process: this.#name }, this.uid);
  }

  close(): void {
    this.#streams.close();
  }

  #read(): TaskRecords {
    return readable(this.#place, () => this.#streams.read(this.#processes.bootTimeMs()));
  }
}

/** The run, if its command was started and has not ended. */
export function startedRun({ state, ...run }: ProcessStatus): StartedRun | undefined {
  const { process, coordinator_pid, fork_time, pid, start_time } = run;
  if (state !== 'RUNNING' || process === undefined || coordinator_pid === undefined) return undefined;
  if (fork_time === undefined || pid === undefined || start_time === undefined) return undefined;
  return { process, coordinator_pid, fork_time, pid, start_time };
}

function readable<T>({ taskId }: TaskPlace, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof ThermosError || errnoOf(error) === undefined) throw error;
    const code = 'checkpoint-unreadable';
    const tried = `read the checkpoint of task ${taskId}`;
    const { message, hint } = unreadable({ code, tried, what: 'the checkpoint', error });
    throw new SystemError(code, message, hint, error);
  }
}
