import type { FoundTask, TaskRoot } from '../discovery/found.js';
import { type DirectoryNames, joinTasks } from '../discovery/join.js';
import { MESOS } from '../layout/layouts.js';
import { mesosIdsOf, rootInRun } from '../layout/mesos.js';
import { rootPaths } from '../layout/root-paths.js';
import type { RemoteEntry } from './answers.js';
import type { Sandbox } from './sandbox.js';

/**
 * The tasks of a sandbox. `refused` if its agent does not list it: it was removed, or is not for everybody. `absent` if it
 * has no task root.
 */
export async function findTasks(
  sandbox: Sandbox,
  root: TaskRoot = rootOf(sandbox.directory),
): Promise<readonly FoundTask[] | 'refused' | 'absent'> {
  const own = await sandbox.entry(root.path);
  if (own === 'refused') return 'refused';
  if (own === 'absent' || own.kind !== 'directory') return 'absent';
  const paths = rootPaths(root.path);
  const list = async () => {
    const [active, finished, checkpoints] = await Promise.all([
      names(sandbox, paths.active, 'file'),
      names(sandbox, paths.finished, 'file'),
      names(sandbox, paths.checkpoints, 'directory'),
    ]);
    return joinTasks(root, { active, finished, checkpoints });
  };
  const found = await list();
  if (!found.some(({ problems }) => problems.some(({ code }) => MAY_BE_MOVING.has(code)))) return found;
  // The file of a task moves when it ends, and may have done so between the listings.
  for (const path of [paths.active, paths.finished, paths.checkpoints]) sandbox.forget(path);
  return list();
}

const MAY_BE_MOVING: ReadonlySet<string> = new Set(['task-file-twice', 'task-file-missing']);

/** The task root in a run directory of an agent. */
export function rootOf(directory: string): TaskRoot {
  return {
    path: rootInRun(directory),
    layout: MESOS.name,
    source: 'agent',
    readable: true,
    mesos: mesosIdsOf(directory),
    run_dir: directory,
  };
}

/** A task of this id in a root, as if it were there. */
export function taskIn(root: TaskRoot, task_id: string): FoundTask {
  const checkpoint_dir = `${rootPaths(root.path).checkpoints}/${task_id}`;
  return { task_id, root, phase: 'active', checkpoint_dir, problems: [] };
}

async function names(sandbox: Sandbox, path: string, kind: RemoteEntry['kind']): Promise<DirectoryNames> {
  const listed = await sandbox.list(path);
  if (typeof listed === 'string') return { names: new Set(), known: listed === 'absent' };
  const entries = listed.entries.filter((entry) => entry.kind === kind && !entry.name.startsWith('.'));
  return {
    names: new Set(entries.slice(0, MESOS.mostTasks).map(({ name }) => name)),
    known: listed.complete && entries.length <= MESOS.mostTasks,
  };
}
