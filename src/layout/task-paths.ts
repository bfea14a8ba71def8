import { UsageError } from '../errors/errors.js';
import { isName } from './names.js';
import { REASONS } from './reasons.js';
import { rootPaths } from './root-paths.js';
import { STARTS } from './starts.js';

/** Where a task is on disk. */
export interface TaskPlace {
  readonly root: string;
  readonly taskId: string;
}

export interface Paths {
  /** Of its streams. */
  readonly directory: string;
  readonly stream: string;
  /** What its runner and those who ended it knew. */
  readonly reasons: string;
  /** The exact starts of its processes. */
  readonly starts: string;
  /** The task file while the task runs. */
  readonly active: string;
  /** The task file when the task is over. */
  readonly finished: string;
  /** Where `run` makes the sandbox by default. */
  readonly sandbox: string;
  /** The stream of a process; undefined for a name that cannot be part of a file name. */
  readonly coordinator: (process: string) => string | undefined;
}

/** The name of a task's own stream in its checkpoint directory. */
export const RUNNER = 'runner';

export const COORDINATOR_PREFIX = 'coordinator.';

/** The name of the stream of a process; undefined for a process whose name cannot be part of a file name. Pure. */
export function coordinatorName(process: string): string | undefined {
  const name = `${COORDINATOR_PREFIX}${process}`;
  return isName(name) ? name : undefined;
}

/** The process whose stream has this name; undefined for other files. Pure. */
export function processOfName(name: string): string | undefined {
  return name.startsWith(COORDINATOR_PREFIX) ? name.slice(COORDINATOR_PREFIX.length) : undefined;
}

/** Throws UsageError `task-id-invalid` for an id that cannot be the name of a directory entry. */
export function pathsOf({ root, taskId }: TaskPlace): Paths {
  if (!isName(taskId)) {
    const message = `${JSON.stringify(taskId)} cannot be a task id: a task id is also the name of a directory`;
    throw new UsageError('task-id-invalid', message);
  }
  const { checkpoints, active, finished, sandboxes } = rootPaths(root);
  const directory = `${checkpoints}/${taskId}`;
  return {
    directory,
    stream: `${directory}/${RUNNER}`,
    reasons: `${directory}/${REASONS}`,
    starts: `${directory}/${STARTS}`,
    active: `${active}/${taskId}`,
    finished: `${finished}/${taskId}`,
    sandbox: `${sandboxes}/${taskId}`,
    coordinator: (process) => {
      const name = coordinatorName(process);
      return name === undefined ? undefined : `${directory}/${name}`;
    },
  };
}
