import type { FoundTask, RemoteAgent, TaskRoot } from '../discovery/found.js';
import { type DirectoryNames, joinTasks } from '../discovery/join.js';
import { MESOS } from '../layout/layouts.js';
import { mesosIdsOf, rootInRun, taskIdOfExecutor } from '../layout/mesos.js';
import { type Phase, phasePath, rootPaths } from '../layout/root-paths.js';
import { RUNNER } from '../layout/task-paths.js';
import type { ExecutorRun, RemoteEntry } from './answers.js';
import type { Listed, Sandbox } from './sandbox.js';

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

/**
 * The task of an executor that is named after it, by two listings: of its phase, as the agent tells it, and of its
 * checkpoints, which may be known. Undefined if it is not alone there, or not whole: then all of the sandbox has to be listed.
 */
export async function findTaskOf(
  sandbox: Sandbox,
  { executorId, running }: Pick<ExecutorRun, 'executorId' | 'running'>,
  root: TaskRoot,
  known?: Listed,
): Promise<FoundTask | undefined> {
  const task_id = taskIdOfExecutor(executorId);
  if (task_id === undefined) return undefined;
  const phase: Phase = running ? 'active' : 'finished';
  const directory = phasePath(root.path, phase);
  const task = taskIn(root, task_id);
  task.phase = phase;
  // Not of `directory`, which becomes a text of its own when it is listed: this one stays a few references until it is read.
  task.task_file = `${phasePath(root.path, phase)}/${task_id}`;
  const [listed, checkpoints] = await Promise.all([
    sandbox.list(directory),
    sandbox.list(task.checkpoint_dir, known),
  ]);
  if (typeof listed === 'string' || !listed.complete || listed.entries.length !== 1) return undefined;
  const [entry] = listed.entries;
  if (entry?.name !== task_id || entry.kind !== 'file') return undefined;
  const hasStream =
    typeof checkpoints !== 'string' && checkpoints.entries.some(({ name }) => name === RUNNER);
  return hasStream ? task : undefined;
}

const MAY_BE_MOVING: ReadonlySet<string> = new Set(['task-file-twice', 'task-file-missing']);

/** The task root in a run directory, of an agent whose clock is ahead of ours. `access`: the flags to ask it again. */
export function rootOf(
  directory: string,
  agent?: RemoteAgent,
  ahead_ms?: number,
  access?: readonly string[],
): TaskRoot {
  return {
    path: rootInRun(directory),
    layout: MESOS.name,
    source: 'agent',
    readable: true,
    mesos: mesosIdsOf(directory),
    run_dir: directory,
    agent,
    ahead_ms,
    access,
  };
}

/**
 * A task of this id in a root, as if it were there. All its fields are made at once, and are changed later: V8 keeps the
 * description of each object that is spread into another, which takes more memory than the object.
 */
export function taskIn(root: TaskRoot, task_id: string): FoundTask {
  const checkpoint_dir = `${rootPaths(root.path).checkpoints}/${task_id}`;
  return { task_id, root, phase: 'active', task_file: undefined, checkpoint_dir, problems: [] };
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
