import { UsageError } from '../errors/errors.js';
import { LAYOUTS } from '../layout/layouts.js';
import { isWithin } from '../store/paths.js';
import { bytesOf } from '../store/walk.js';
import type { TaskView } from '../task/view.js';
import type { SandboxPlace } from './sandbox-tree.js';

/** Where the files of a task are, as far as their places depend on it. */
export type SandboxOwner = Pick<TaskView, 'task_id' | 'root' | 'sandbox'>;

/**
 * The place that a path means for a task with a sandbox. A relative path is one in the sandbox. An absolute path is as
 * the task sees it or as it is here: in the sandbox, or in the Mesos layout elsewhere in the executor's sandbox. Throws
 * UsageError `path-outside` for any other path, and for one with more `..` than names. Pure.
 */
export function placeOf(path: string, owner: SandboxOwner, sandbox: string): SandboxPlace {
  const place = path.startsWith('/')
    ? absolutePlace(path, owner, sandbox)
    : { top: sandbox, names: namesOf(path) };
  if (place !== undefined && staysInside(place.names)) return place;
  throw new UsageError(
    'path-outside',
    `${path} is not in the sandbox of task ${owner.task_id}`,
    `a path begins in the sandbox (logs/app.log), or is one in ${sandbox}`,
  );
}

/** The names below a top that an absolute path of the task means; undefined if it is elsewhere. Pure. */
export function namesInside(
  path: string,
  owner: SandboxOwner,
  sandbox: string,
  top: string,
): readonly string[] | undefined {
  const place = absolutePlace(path, owner, sandbox);
  return place?.top === top ? place.names : undefined;
}

function absolutePlace(
  path: string,
  { root, ...owner }: SandboxOwner,
  sandbox: string,
): SandboxPlace | undefined {
  const recorded = owner.sandbox?.recorded;
  for (const each of [recorded, sandbox]) {
    const names = each === undefined ? undefined : namesIn(path, each);
    if (names !== undefined) return { top: sandbox, names };
  }
  // As the agent sees it, and as a container with an image does.
  const { ownPlace, ownsSandboxes, searchDirectory } = LAYOUTS[root.layout];
  if (!ownsSandboxes) return undefined;
  const around = searchDirectory(root);
  const here = ownPlace(path.endsWith('/') ? path : `${path}/`, root) ?? path;
  const names = namesIn(here, sandbox);
  if (names !== undefined) return { top: sandbox, names };
  const others = namesIn(here, around);
  return others && { top: around, names: others };
}

/** As `namesBelow`, but `..` and what is redundant stay to be resolved on the way. */
function namesIn(path: string, directory: string): string[] | undefined {
  const plain = directory.replace(/\/+$/, '');
  if (plain === '') return undefined;
  return isWithin(path, plain) ? namesOf(path.slice(plain.length)) : undefined;
}

function namesOf(path: string): string[] {
  return path.split('/').flatMap((name) => (name === '' || name === '.' ? [] : [bytesOf(name)]));
}

function staysInside(names: readonly string[]): boolean {
  let depth = 0;
  for (const name of names) {
    depth += name === '..' ? -1 : 1;
    if (depth < 0) return false;
  }
  return true;
}
