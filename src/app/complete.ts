import { statedProcesses } from '../config/process-names.js';
import type { FoundTask } from '../discovery/found.js';
import type { Phase } from '../layout/root-paths.js';
import { RUNNER } from '../layout/task-paths.js';
import { statFile } from '../store/look.js';
import { readText } from '../store/open-file.js';
import { textOf } from '../store/walk.js';
import { eachView, type TaskGatherer } from '../task/gatherer.js';
import type { ProcessView, TaskView } from '../task/view.js';
import { openSandbox, type SandboxPorts } from './sandbox-word.js';

/** The gatherer, with the tasks that there were when it was asked first. */
export function listedOnce(gatherer: TaskGatherer): TaskGatherer {
  let tasks: ReturnType<TaskGatherer['all']> | undefined;
  return {
    ...gatherer,
    all: () => {
      tasks ??= gatherer.all();
      return tasks;
    },
  };
}

/** The ids of all tasks, or of those in a phase, for completion. */
export async function idsToName(gatherer: TaskGatherer, phase?: Phase): Promise<string[]> {
  const tasks = await gatherer.all();
  return tasks.filter((task) => phase === undefined || task.phase === phase).map(({ task_id }) => task_id);
}

/** A task with a longer stream is not read while somebody waits for a completion. */
const LONGEST_STREAM = 256 * 1024;

/** The tasks with these ids, those that are quickly read; of the same id the first, an active one before others. */
export async function tasksToDescribe(ids: readonly string[], gatherer: TaskGatherer): Promise<TaskView[]> {
  const wanted = new Set(ids);
  const tasks: FoundTask[] = [];
  for (const task of await gatherer.all()) {
    if (wanted.delete(task.task_id) && isShort(task)) tasks.push(task);
  }
  return viewsOf(tasks, gatherer);
}

function isShort({ checkpoint_dir }: FoundTask): boolean {
  try {
    return (statFile(`${checkpoint_dir}/${RUNNER}`)?.size ?? 0) <= LONGEST_STREAM;
  } catch {
    return false;
  }
}

async function viewsOf(tasks: readonly FoundTask[], gatherer: TaskGatherer): Promise<TaskView[]> {
  const views: TaskView[] = [];
  await eachView(gatherer.views(tasks), (view) => views.push(view));
  return views;
}

/** The names of the processes of the tasks with this id, each at least once. No stream is read. */
export async function processesToName(taskId: string, gatherer: TaskGatherer): Promise<string[]> {
  const tasks = (await gatherer.all()).filter(({ task_id }) => task_id === taskId);
  const names = await Promise.all(tasks.map((task) => gatherer.processNames(task)));
  return names.flat();
}

/** The processes of the active tasks with this id that run, as far as their streams say. */
export async function runningToName(taskId: string, gatherer: TaskGatherer): Promise<ProcessView[]> {
  const tasks = (await gatherer.all()).filter(
    ({ task_id, phase }) => task_id === taskId && phase === 'active',
  );
  const views = await viewsOf(tasks, gatherer);
  return views.flatMap(({ processes }) => processes.filter(({ state }) => state === 'RUNNING'));
}

/** A longer config is not read while somebody waits for a completion. */
const LONGEST_CONFIG = 1024 * 1024;

/** The processes that a config states, without evaluating it; none if it cannot be read, or is not a file. */
export function configProcessesToName(path: string): string[] {
  try {
    return statedProcesses(readText(path, { links: 'follow', max: LONGEST_CONFIG }));
  } catch {
    // It is not one, or not yet.
    return [];
  }
}

/** A directory with more entries is completed in part. */
const MOST_FILES = 1000;

/**
 * The words for what is in a directory of a sandbox, which `TASK:` or `TASK:DIRECTORY/` names; those of directories end in
 * a slash. Rejects as `openSandbox`.
 */
export async function filesToName(directory: string, ports: SandboxPorts): Promise<string[]> {
  const { tree, names } = await openSandbox(directory, 'ls', ports);
  try {
    const listed = await tree.types(names, MOST_FILES);
    if (!('entries' in listed)) return [];
    return listed.entries.map(
      ({ name, type }) => `${directory}${textOf(name)}${type === 'directory' ? '/' : ''}`,
    );
  } finally {
    tree.close();
  }
}
