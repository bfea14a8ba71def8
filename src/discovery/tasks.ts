import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { LAYOUTS } from '../layout/layouts.js';
import { taskIdOfExecutor } from '../layout/mesos.js';
import { type Phase, rootPaths } from '../layout/root-paths.js';
import { isDenied, sudoHint } from '../store/denied.js';
import { type Entry, listDirectory } from '../store/list.js';
import { presenceOf } from '../store/look.js';
import type { FoundTask, TaskRoot } from './found.js';
import { tooManyEntries } from './too-many.js';

export interface ListedTasks {
  /** In no order. */
  tasks: FoundTask[];
  problems: Problem[];
}

/**
 * Every task of which a root holds a task file or a checkpoint directory, from three directory listings and
 * nothing else. What is wrong with one task is a problem of that task. A task without a task file is taken for
 * active: its stream knows better. Names that start with a dot, directories among the task files and unknown
 * directories in `tasks` are no tasks. If one of the listings is refused, the root's `readable` becomes false;
 * in the Mesos layout the task is then still listed, by the name of its executor.
 */
export function listTasks(root: TaskRoot, euid = 0): ListedTasks {
  const problems: Problem[] = [];
  if (!root.readable) return { tasks: namedByExecutor(root), problems };

  const layout = LAYOUTS[root.layout];
  const paths = rootPaths(root.path);
  let taskFilesKnown = true;
  let checkpointsKnown = true;
  const list = (path: string, accept: (entry: Entry) => boolean): Entry[] => {
    const isCheckpoints = path === paths.checkpoints;
    try {
      const { entries, complete } = listDirectory(path, { below: layout.base(root), max: layout.mostTasks });
      if (!complete) {
        if (isCheckpoints) checkpointsKnown = false;
        problems.push(tooManyEntries(path, layout.mostTasks));
      }
      return entries.filter((entry) => !entry.name.startsWith('.') && accept(entry));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      const denied = isDenied(error);
      if (denied) root.readable = false;
      if (isCheckpoints) checkpointsKnown = false;
      else taskFilesKnown = false;
      problems.push({
        code: 'root-unreadable',
        severity: 'error',
        message: `cannot list ${path}: ${describeErrno(error)}`,
        path,
        hint: denied ? sudoHint(euid) : undefined,
      });
      return [];
    }
  };
  const taskFiles = (phase: Phase) =>
    list(paths[phase], (entry) => {
      if (entry.isFile()) return true;
      if (!entry.isSymbolicLink()) return false;
      const path = `${paths[phase]}/${entry.name}`;
      const target = presenceOf(path);
      if (target === 'other') return true;
      if (target !== 'directory') problems.push(brokenLink(path, entry.name, target));
      return false;
    });

  const active = taskFiles('active');
  const finished = taskFiles('finished');
  const checkpoints = new Set<string>();
  for (const entry of list(paths.checkpoints, (entry) => entry.isDirectory() || entry.isSymbolicLink())) {
    const path = `${paths.checkpoints}/${entry.name}`;
    if (entry.isDirectory() || presenceOf(path) === 'directory') checkpoints.add(entry.name);
  }

  const tasks = new Map<string, FoundTask>();
  const add = (task_id: string, phase: Phase, hasFile: boolean): FoundTask => {
    const task: FoundTask = {
      task_id,
      root,
      phase,
      checkpoint_dir: `${paths.checkpoints}/${task_id}`,
      problems: [],
    };
    if (hasFile) task.task_file = `${paths[phase]}/${task_id}`;
    tasks.set(task_id, task);
    return task;
  };
  for (const { name } of finished) add(name, 'finished', true);
  for (const { name } of active) {
    const twin = tasks.get(name);
    if (twin === undefined) {
      add(name, 'active', true);
      continue;
    }
    // Seen before and after it was moved.
    if (presenceOf(`${paths.active}/${name}`, 'no-follow') === 'absent') continue;
    twin.problems.push({
      code: 'task-file-twice',
      severity: 'warning',
      message: `task ${name} is both in tasks/active and in tasks/finished of ${root.path}`,
      path: `${paths.active}/${name}`,
      task_id: name,
    });
  }
  for (const task of tasks.values()) {
    if (checkpoints.has(task.task_id) || !checkpointsKnown) continue;
    task.problems.push({
      code: 'checkpoint-missing',
      severity: 'error',
      message: `task ${task.task_id} has no checkpoint directory ${task.checkpoint_dir}`,
      path: task.checkpoint_dir,
      task_id: task.task_id,
    });
  }
  for (const name of checkpoints) {
    if (tasks.has(name)) continue;
    // One that has just started had no task file yet when these were listed.
    if (taskFilesKnown && presenceOf(`${paths.active}/${name}`) === 'other') {
      add(name, 'active', true);
      continue;
    }
    const task = add(name, 'active', false);
    if (!taskFilesKnown) continue;
    task.problems.push({
      code: 'task-file-missing',
      severity: 'warning',
      message: `task ${name} has checkpoints in ${root.path}, but no task file`,
      path: task.checkpoint_dir,
      task_id: name,
    });
  }
  return {
    tasks: tasks.size === 0 && !root.readable ? namedByExecutor(root) : [...tasks.values()],
    problems,
  };
}

function namedByExecutor(root: TaskRoot): FoundTask[] {
  const task_id = root.mesos === undefined ? undefined : taskIdOfExecutor(root.mesos.executor_id);
  if (task_id === undefined) return [];
  const checkpoint_dir = `${rootPaths(root.path).checkpoints}/${task_id}`;
  return [{ task_id, root, phase: 'active', checkpoint_dir, unreadable: true, problems: [] }];
}

function brokenLink(path: string, task_id: string, target: 'absent' | { error: unknown }): Problem {
  const why = target === 'absent' ? 'no such file or directory' : describeErrno(target.error);
  return {
    code: 'task-file-unreadable',
    severity: 'warning',
    message: `task file ${path} is a link that leads nowhere: ${why}`,
    path,
    task_id,
  };
}

/** Active before finished, then by id, then by root; by code units, so that it is the same everywhere. */
export function compareTasks(a: FoundTask, b: FoundTask): number {
  if (a.phase !== b.phase) return a.phase === 'active' ? -1 : 1;
  if (a.task_id !== b.task_id) return a.task_id < b.task_id ? -1 : 1;
  return a.root.path < b.root.path ? -1 : a.root.path > b.root.path ? 1 : 0;
}
