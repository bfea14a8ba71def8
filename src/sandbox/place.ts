import { UsageError } from '../errors/errors.js';
import { LAYOUTS } from '../layout/layouts.js';
import { isWithin, namesBelow } from '../store/paths.js';
import { bytesOf } from '../store/walk.js';
import type { TaskView } from '../task/view.js';

/** Where the files of a task are, as far as their places depend on it. */
export type SandboxOwner = Pick<TaskView, 'task_id' | 'root' | 'sandbox'>;

/**
 * The directory that holds the files of a task: its sandbox, and in the Mesos layout the executor's, which is around it.
 * Undefined if it is not known. Pure.
 */
export function topOf({ root, sandbox }: SandboxOwner): string | undefined {
  const { ownsSandboxes, searchDirectory } = LAYOUTS[root.layout];
  return ownsSandboxes ? searchDirectory(root) : sandbox?.path;
}

/**
 * The names (bytes, in strings of latin1) from the top of a task's files to the place that a path means. A relative path
 * begins at the top. An absolute path is as the task sees it or as it is here. Throws UsageError `path-outside` for any
 * other path, and for one with more `..` than names. Pure.
 */
export function namesOfPath(path: string, owner: SandboxOwner, top: string): readonly string[] {
  const names = path.startsWith('/') ? namesInside(path, owner, top) : namesOf(path);
  if (names !== undefined && staysInside(names)) return names;
  throw new UsageError(
    'path-outside',
    `${path} is not in the sandbox of task ${owner.task_id}`,
    `a path is relative to the sandbox (logs/app.log), or absolute, in ${top}`,
  );
}

/** The names from the top that an absolute path of the task means; undefined if it is elsewhere. Pure. */
export function namesInside(path: string, owner: SandboxOwner, top: string): string[] | undefined {
  const { root, sandbox } = owner;
  const here = namesIn(path, top);
  if (here !== undefined || sandbox === undefined) return here ?? ownNames(path, root, top);
  const recorded = namesIn(path, sandbox.recorded);
  const below = recorded === undefined ? undefined : namesBelow(sandbox.path, top)?.map(bytesOf);
  return below === undefined ? ownNames(path, root, top) : [...below, ...(recorded as string[])];
}

/** Of a path that the agent or a container with an image recorded. */
function ownNames(path: string, root: SandboxOwner['root'], top: string): string[] | undefined {
  const own = LAYOUTS[root.layout].ownPlace(`${path}/`, root);
  return own === undefined ? undefined : namesIn(own, top);
}

/** As `namesBelow`, but `..` stays to be resolved on the way. */
function namesIn(path: string, directory: string): string[] | undefined {
  const plain = directory.replace(/\/+$/, '');
  return plain !== '' && isWithin(path, plain) ? namesOf(path.slice(plain.length)) : undefined;
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
