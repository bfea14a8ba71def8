import { textOf } from '../store/walk.js';
import type { TaskGatherer } from '../task/gatherer.js';
import { openSandbox, type SandboxPorts } from './sandbox-word.js';

/** The ids of all tasks, for completion. */
export async function idsToName(gatherer: TaskGatherer): Promise<string[]> {
  return (await gatherer.all()).map(({ task_id }) => task_id);
}

/** The names of the processes of the tasks with this id, each at least once. No stream is read. */
export async function processesToName(taskId: string, gatherer: TaskGatherer): Promise<string[]> {
  const tasks = (await gatherer.all()).filter(({ task_id }) => task_id === taskId);
  const names = await Promise.all(tasks.map((task) => gatherer.processNames(task)));
  return names.flat();
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
