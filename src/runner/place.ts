import { UsageError } from '../errors/errors.js';

/** Where a task is on disk. */
export interface Place {
  readonly root: string;
  readonly taskId: string;
}

export interface Paths {
  readonly directory: string;
  readonly stream: string;
  readonly active: string;
  readonly finished: string;
  /** The stream of a process. */
  readonly coordinator: (process: string) => string;
}

export const COORDINATOR_PREFIX = 'coordinator.';

/** Throws UsageError `task-id-invalid` for an id that is no single name in a directory. */
export function pathsOf({ root, taskId }: Place): Paths {
  const bytes = Buffer.byteLength(taskId);
  if (bytes === 0 || bytes > 255 || /[/\0]/.test(taskId) || taskId === '.' || taskId === '..') {
    const message = `${JSON.stringify(taskId)} can't be a task id: it is the name of a directory, too`;
    throw new UsageError('task-id-invalid', message);
  }
  const directory = `${root}/checkpoints/${taskId}`;
  return {
    directory,
    stream: `${directory}/runner`,
    active: `${root}/tasks/active/${taskId}`,
    finished: `${root}/tasks/finished/${taskId}`,
    coordinator: (process) => `${directory}/${COORDINATOR_PREFIX}${process}`,
  };
}
