import type { FoundTask, TaskRoot } from '../../discovery/found.js';
import { type DirectoryNames, joinTasks } from '../../discovery/join.js';
import { MESOS } from '../../layout/layouts.js';
import { mesosIdsOf, rootInRun } from '../../layout/mesos.js';
import { rootPaths } from '../../layout/root-paths.js';
import type { RemoteEntry } from './answers.js';
import type { Sandbox } from './sandbox.js';

/** The tasks of a sandbox; `refused` if its agent does not list it: it was removed, or is not for everybody. */
export async function findTasks(sandbox: Sandbox): Promise<readonly FoundTask[] | 'refused'> {
  const root = rootOf(sandbox.directory);
  const own = await sandbox.entry(root.path);
  if (own === 'refused') return 'refused';
  if (own === 'absent' || own.kind !== 'directory') return [];
  const paths = rootPaths(root.path);
  const [active, finished, checkpoints] = await Promise.all([
    names(sandbox, paths.active, 'file'),
    names(sandbox, paths.finished, 'file'),
    names(sandbox, paths.checkpoints, 'directory'),
  ]);
  return joinTasks(root, { active, finished, checkpoints });
}

function rootOf(directory: string): TaskRoot {
  return {
    path: rootInRun(directory),
    layout: MESOS.name,
    source: 'agent',
    readable: true,
    mesos: mesosIdsOf(directory),
    run_dir: directory,
  };
}

/** A task of this id in a run directory, as if it were there. */
export function taskIn(directory: string, task_id: string): FoundTask {
  const root = rootOf(directory);
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
