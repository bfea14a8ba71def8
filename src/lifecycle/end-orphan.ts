import type { Stats } from 'node:fs';
import type { ProblemCode } from '../errors/codes.js';
import { errnoOf, ThermosError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { Orphan, type TaskPlaces } from './orphan.js';
import type { Processes } from './processes.js';
import { type SignalResult, signalRunner } from './runner-process.js';
import { TaskStreams } from './task-streams.js';

/** What became of a task that was to be ended. */
export interface Finalized {
  readonly result: 'done' | 'refused' | 'failed';
  readonly why?: string;
  /** What was found alive, by pid. */
  readonly killed: readonly number[];
  readonly problems: readonly Problem[];
}

/** Something speaks against it, and nothing was done. */
const REFUSALS: readonly ProblemCode[] = ['task-refused', 'task-untrusted', 'checkpoint-damaged'];

/**
 * Ends a task whose runner died, under the runner's own lock: what its coordinators recorded after it is taken over,
 * its processes that live on are killed if they are certainly its own, open runs and the task get their last status,
 * and the task file moves to the finished ones. Nothing is written if the stream is not as expected, or if somebody
 * holds the lock. Can be done again after an interruption. Throws nothing but bugs.
 */
export function endOrphan(
  place: TaskPlace,
  places: TaskPlaces,
  becomes: 'KILLED' | 'LOST',
  now: () => number,
  processes: Processes,
  isExpected: (stream: Stats) => boolean,
): Finalized {
  let orphan: Orphan | undefined;
  try {
    orphan = new Orphan(place, places, processes, isExpected);
    const { signalled, problems } = orphan.end(becomes, now);
    return { result: 'done', killed: signalled, problems };
  } catch (error) {
    return finalizedBy(error);
  } finally {
    orphan?.close();
  }
}

/** Tells the live runner of a task to end it as KILLED. Throws nothing but bugs. */
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

/** Sends a signal to the live runner of a task; see `signalRunner`. Throws UsageError `task-untrusted` before. */
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

/** What the stream says of its runner; it is closed again, because a lock that we had would be the runner's own. */
function whoRuns(place: TaskPlace) {
  const streams = new TaskStreams(place, 'read');
  try {
    const { header, last } = streams.ends();
    const ownershipError = streams.checkOwnership(header?.uid);
    if (ownershipError !== undefined) throw ownershipError;
    return { stream: streams.stat(), last, owner: streams.owner(header?.uid) };
  } finally {
    streams.close();
  }
}

function finalizedBy(error: unknown): Finalized {
  if (!(error instanceof ThermosError) && errnoOf(error) === undefined) throw error;
  const { message } = error as Error;
  const isRefusal = error instanceof ThermosError && REFUSALS.includes(error.code);
  return { result: isRefusal ? 'refused' : 'failed', why: message, killed: [], problems: [] };
}
