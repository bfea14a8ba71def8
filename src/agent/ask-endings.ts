import type { Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import { askEachAgent } from './each-agent.js';
import type { MesosEnding } from './endings.js';
import type { AgentTasks } from './gatherer.js';

export interface Endings {
  /** By the ids of tasks; those that an agent does not tell are missing. */
  readonly endings: ReadonlyMap<string, MesosEnding>;
  readonly problems: readonly Problem[];
}

/** Asks the agents of these tasks once each how they ended. Never rejects for an agent. */
export async function askForEndings(
  agents: AgentTasks,
  tasks: readonly Pick<TaskView, 'root' | 'task_id'>[],
): Promise<Endings> {
  const endings = new Map<string, MesosEnding>();
  const problems = await askEachAgent(agents, tasks, async (port, own) => {
    const told = await port.endings();
    for (const { task_id } of own) {
      const ending = told.get(task_id);
      if (ending !== undefined) endings.set(task_id, ending);
    }
  });
  return { endings, problems };
}
