import { listed } from '../config/limits.js';
import { NotFoundError } from '../errors/errors.js';
import { nearest } from '../text/near.js';
import type { TaskView } from './view.js';

/**
 * The error for a name that no process of a task has. Its hint says which one may have been meant, or which there are;
 * `more`: what else may have been meant.
 */
export function unknownProcess(
  { task_id, processes }: Pick<TaskView, 'task_id' | 'processes'>,
  name: string,
  more?: string,
): NotFoundError {
  const names = processes.map(({ process }) => process);
  const [near] = nearest(name, names);
  const known = names.length === 0 ? undefined : `its processes are ${listed(names)}`;
  const meant = near === undefined ? known : `did you mean ${near}?`;
  const hint = meant === undefined || more === undefined ? (meant ?? more) : join(meant, more);
  return new NotFoundError('process-not-found', `task ${task_id} has no process '${name}'`, hint);
}

function join(meant: string, more: string): string {
  return meant.endsWith('?') ? `${meant} ${more}` : `${meant}; ${more}`;
}
