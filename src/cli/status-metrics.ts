import { localTasks } from '../app/local-tasks.js';
import { lookAtTasks } from '../app/status.js';
import type { Problem } from '../errors/problem.js';
import { Metrics } from '../views/metrics.js';
import type { Terminal } from './terminal.js';
import { queryOf, type StatusFlags } from './watched-tasks.js';

/**
 * Writes the metrics of the tasks to stdout, in one piece. Returns the problems, which are counted in them. Rejects with
 * NotFoundError if no word matches a task.
 */
export async function showMetrics(
  words: readonly string[],
  flags: StatusFlags & { 'per-task': boolean },
  terminal: Terminal,
  version: string,
): Promise<readonly Problem[]> {
  const metrics = new Metrics({ perTask: flags['per-task'] });
  const start = terminal.now();
  const query = queryOf(words, flags, terminal);
  const { roots, problems } = await lookAtTasks(query, localTasks(flags), (view) => metrics.add(view));
  const durationMs = terminal.now() - start;
  terminal.write(metrics.text({ version, roots: roots.length, problems, durationMs }));
  return problems;
}
