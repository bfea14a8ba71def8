import { ThermosError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { unreadable } from '../store/problems.js';
import { type TaskPlaces, taskProcesses } from './orphan.js';
import type { Processes } from './processes.js';
import { TaskStreams } from './task-streams.js';

/**
 * Sends SIGKILL to the remaining processes that, by its streams, certainly belong to a task; records nothing.
 * `signalled`: the pids. Throws only on bugs.
 */
export function endLeftovers(
  place: TaskPlace,
  places: TaskPlaces,
  processes: Processes,
): { signalled: readonly number[]; problems: readonly Problem[] } {
  let streams: TaskStreams | undefined;
  try {
    streams = new TaskStreams(place, 'read');
    const { header, traces, problems: met } = streams.read(processes.bootTimeMs());
    const ownershipError = streams.checkOwnership(header?.uid);
    if (ownershipError !== undefined) throw ownershipError;
    const task = taskProcesses(place, places, header?.uid, streams, processes);
    const { alive, problems } = task.endAll(traces);
    return { signalled: [...alive], problems: [...met, ...problems] };
  } catch (error) {
    return { signalled: [], problems: [problemOf(error, place.taskId)] };
  } finally {
    streams?.close();
  }
}

function problemOf(error: unknown, task_id: string): Problem {
  if (error instanceof ThermosError) {
    const { code, message, hint } = error;
    return { code, severity: 'error', message, hint, task_id };
  }
  return unreadable({
    code: 'checkpoint-unreadable',
    tried: `read the checkpoint of task ${task_id}`,
    what: 'the checkpoint',
    error,
    task_id,
  });
}
