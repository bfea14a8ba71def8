import type { TaskGatherer } from '../task/gatherer.js';

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
