import type { Stats } from 'node:fs';
import type { ProblemCode } from '../errors/codes.js';
import { errnoOf, ThermosError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { Reason } from '../layout/reasons.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { keepReason } from './keep-reason.js';
import { Orphan, type TaskPlaces } from './orphan.js';
import type { Processes } from './processes.js';
import { type SignalResult, signalRunner } from './runner-process.js';
import { TaskStreams } from './task-streams.js';

/** The result of ending a task. */
export interface Finalized {
  readonly result: 'done' | 'refused' | 'failed';
  readonly why?: string;
  /** The pids that were found alive. */
  readonly killed: readonly number[];
  readonly problems: readonly Problem[];
}

/** Codes of errors after which nothing was done. */
const REFUSALS: readonly ProblemCode[] = ['task-refused', 'task-untrusted', 'checkpoint-damaged'];

/**
 * Ends a task whose runner died, while holding the runner's lock: copies the last records of its coordinators, kills
 * those of its remaining processes that certainly belong to it, records the last status of open runs and of the task,
 * and moves the task file to the finished ones. Writes nothing if the stream is not as expected or if another process
 * holds the lock. Can be repeated after an interruption. `reason` is kept for those who look at the task later. Throws
 * only on bugs.
 */
export function endOrphan(
  place: TaskPlace,
  places: TaskPlaces,
  becomes: 'KILLED' | 'LOST',
  now: () => number,
  processes: Processes,
  isExpected: (stream: Stats) => boolean,
  reason?: Omit<Reason, 'time_ms'>,
): Finalized {
  let orphan: Orphan | undefined;
  try {
    orphan = new Orphan(place, places, processes, isExpected);
    const isOver = orphan.isOver;
    const time_ms = Math.round(now());
    const { signalled, problems } = orphan.end(becomes, now);
    if (reason !== undefined && !isOver) keepReason(place, { ...reason, time_ms }, orphan.uid);
    return { result: 'done', killed: signalled, problems };
  } catch (error) {
    return finalizedBy(error);
  } finally {
    orphan?.close();
  }
}

/** Asks the live runner of a task to end it as KILLED. Throws only on bugs. */
export function endByRunner(place: TaskPlace, processes: Processes): Finalized {
  try {
    const sent = signalTask(place, 'SIGUSR1', processes);
    switch (sent.kind) {
      case 'sent':
        return { result: 'done', killed: [sent.pid], problems: [] };
      case 'ending':
        return { result: 'done', killed: [], problems: [] };
      case 'no-runner':
        return { result: 'refused', why: 'its runner has gone', killed: [], problems: [] };
      case 'refused':
        return { result: 'refused', why: sent.why, killed: [], problems: [] };
    }
  } catch (error) {
    return finalizedBy(error);
  }
}

/** Sends a signal to the live runner of a task; see `signalRunner`. Before that, throws UsageError `task-untrusted`. */
export function signalTask(
  place: TaskPlace,
  signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL',
  processes: Processes,
): SignalResult {
  try {
    return signalRunner(processes, () => whoRuns(place), signal);
  } catch (error) {
    if (errnoOf(error) === undefined || error instanceof ThermosError) throw error;
    return { kind: 'refused', why: `its stream cannot be read: ${(error as Error).message}` };
  }
}

/** Reads from the stream, if there is one, who the runner is, and closes it: if we held its lock, we would look like the runner. */
function whoRuns(place: TaskPlace) {
  const streams = openToRead(place);
  if (streams === undefined) return undefined;
  try {
    const { header, last } = streams.ends();
    const ownershipError = streams.checkOwnership(header?.uid);
    if (ownershipError !== undefined) throw ownershipError;
    return { stream: streams.stat(), last, owner: streams.owner(header?.uid) };
  } finally {
    streams.close();
  }
}

function openToRead(place: TaskPlace): TaskStreams | undefined {
  try {
    return new TaskStreams(place, 'read');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function finalizedBy(error: unknown): Finalized {
  if (!(error instanceof ThermosError) && errnoOf(error) === undefined) throw error;
  const { message } = error as Error;
  const isRefusal = error instanceof ThermosError && REFUSALS.includes(error.code);
  return { result: isRefusal ? 'refused' : 'failed', why: message, killed: [], problems: [] };
}
