import type { Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import { failureIn, problemOf } from './failure.js';
import type { AgentPort, AgentTasks } from './gatherer.js';
import { Lane } from './lane.js';

/** Agents that are asked at the same time. */
const MOST_AGENTS = 64;

/** Asks each agent of these tasks once, many at the same time. Never rejects for an agent: it becomes a problem. */
export async function askEachAgent<T extends Pick<TaskView, 'root'>>(
  agents: AgentTasks,
  tasks: readonly T[],
  ask: (port: AgentPort, own: readonly T[]) => Promise<void>,
): Promise<Problem[]> {
  const byAgent = new Map<string, T[]>();
  for (const task of tasks) {
    const url = task.root.agent?.url ?? '';
    const same = byAgent.get(url);
    if (same === undefined) byAgent.set(url, [task]);
    else same.push(task);
  }
  const lane = new Lane(MOST_AGENTS);
  const problems: Problem[] = [];
  const askOne = async (url: string, own: readonly T[]) => {
    try {
      await ask(agents.portOf(own[0] as T), own);
    } catch (error) {
      const failure = failureIn(error);
      if (failure === undefined) throw error;
      problems.push(problemOf(failure, url));
    }
  };
  await Promise.all([...byAgent].map(([url, own]) => lane.run(() => askOne(url, own))));
  return problems;
}
