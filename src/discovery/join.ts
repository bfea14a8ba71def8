import type { Problem } from '../errors/problem.js';
import { type Phase, rootPaths } from '../layout/root-paths.js';
import type { FoundTask, TaskRoot } from './found.js';

/** The names of tasks in one directory of a root. */
export interface DirectoryNames {
  readonly names: ReadonlySet<string>;
  /** True if a name that is not among them is certainly absent. */
  readonly known: boolean;
}

/** The names in the three directories of a root. */
export type RootNames = Readonly<Record<Phase | 'checkpoints', DirectoryNames>>;

/**
 * The tasks of a root, each once, in no order. A name among both the active and the finished task files is a
 * finished task. A checkpoint directory without a task file counts as an active task until its stream is read.
 * A missing part is a problem of the task, unless the directory that should hold it is not known. Pure.
 */
export function joinTasks(root: TaskRoot, { active, finished, checkpoints }: RootNames): FoundTask[] {
  const paths = rootPaths(root.path);
  const taskOf = (task_id: string, phase: Phase, problems: Problem[]): FoundTask => {
    return { task_id, root, phase, checkpoint_dir: `${paths.checkpoints}/${task_id}`, problems };
  };
  const tasks: FoundTask[] = [];
  const add = (task_id: string, phase: Phase, problems: Problem[]): void => {
    const task = taskOf(task_id, phase, problems);
    task.task_file = `${paths[phase]}/${task_id}`;
    if (checkpoints.known && !checkpoints.names.has(task_id)) problems.push(checkpointMissing(task));
    tasks.push(task);
  };
  for (const name of finished.names) {
    const twin = active.names.has(name) ? `${paths.active}/${name}` : undefined;
    add(name, 'finished', twin === undefined ? [] : [taskFileTwice(root, name, twin)]);
  }
  for (const name of active.names) if (!finished.names.has(name)) add(name, 'active', []);
  for (const name of checkpoints.names) {
    if (active.names.has(name) || finished.names.has(name)) continue;
    const task = taskOf(name, 'active', []);
    if (active.known && finished.known) task.problems.push(taskFileMissing(task));
    tasks.push(task);
  }
  return tasks;
}

/** A task whose file is active may be about to start: the original writes the file first. */
function checkpointMissing({ task_id, checkpoint_dir, phase }: FoundTask): Problem {
  return {
    code: 'checkpoint-missing',
    severity: phase === 'active' ? 'warning' : 'error',
    message: `task ${task_id} has no checkpoint directory ${checkpoint_dir}`,
    path: checkpoint_dir,
    task_id,
  };
}

function taskFileTwice(root: TaskRoot, task_id: string, path: string): Problem {
  return {
    code: 'task-file-twice',
    severity: 'warning',
    message: `task ${task_id} is both in tasks/active and in tasks/finished of ${root.path}`,
    path,
    task_id,
  };
}

function taskFileMissing({ task_id, root, checkpoint_dir }: FoundTask): Problem {
  return {
    code: 'task-file-missing',
    severity: 'warning',
    message: `task ${task_id} has checkpoints in ${root.path}, but no task file`,
    path: checkpoint_dir,
    task_id,
  };
}
