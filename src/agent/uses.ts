import type { Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import type { ContainerReading } from '../top/containers.js';
import { askEachAgent } from './each-agent.js';
import type { AgentTasks } from './gatherer.js';
import type { Statistics } from './statistics.js';

export interface Uses {
  /** What the containers of tasks have used, by their checkpoint directories. */
  readonly readings: ReadonlyMap<string, ContainerReading>;
  readonly problems: readonly Problem[];
}

/** A task of an agent, as far as its container is found by it. */
export type UsingTask = Pick<TaskView, 'mesos' | 'found' | 'root'>;

/**
 * Asks the agents of these active tasks once each what their containers have used. Never rejects for an agent. What a
 * container with several active tasks uses, whether or not they are among these, is not known of any of them.
 */
export async function askForUses(agents: AgentTasks, tasks: readonly UsingTask[]): Promise<Uses> {
  const shared = new Map<string, number>();
  const alone = tasks.filter(({ found, root }) => {
    const count = agents.activeBeside(found);
    if (count > 1) shared.set(root.path, count);
    return count <= 1;
  });
  const readings = new Map<string, ContainerReading>();
  const odd: Problem[] = [];
  const failed = await askEachAgent(agents, alone, async (port, own) => {
    const statistics = await port.statistics();
    if (statistics.leftOut > 0) odd.push(leftOut(port.base, statistics.leftOut));
    for (const [key, reading] of readingsOf(own, statistics)) readings.set(key, reading);
  });
  return { readings, problems: [...odd, ...failed, ...unknownOf([...shared.values()])] };
}

/**
 * The readings of tasks by their checkpoint directories: those of their executors, of which each has one active task.
 * Executor, runner and coordinators are in the container, too. Pure.
 */
export function readingsOf(
  tasks: readonly UsingTask[],
  { containers }: Statistics,
): Map<string, ContainerReading> {
  const byExecutor = new Map<string, ContainerReading>();
  const byContainer = new Map<string, ContainerReading>();
  for (const reading of containers) {
    byExecutor.set(`${reading.frameworkId}/${reading.executorId}`, reading);
    if (reading.containerId !== undefined) byContainer.set(reading.containerId, reading);
  }
  const found = tasks.map(({ mesos, found: { checkpoint_dir } }) => {
    if (mesos === undefined) return undefined;
    const ofExecutor = byExecutor.get(`${mesos.framework_id}/${mesos.executor_id}`);
    const reading = byContainer.get(mesos.container_id) ?? ofExecutor;
    const isOther = reading?.containerId !== undefined && reading.containerId !== mesos.container_id;
    return reading === undefined || isOther ? undefined : ([checkpoint_dir, reading] as const);
  });
  return new Map(found.filter((each) => each !== undefined));
}

/** `counts`: how many active tasks each executor has that has several. */
function unknownOf(counts: readonly number[]): Problem[] {
  const [first, ...others] = counts;
  if (first === undefined) return [];
  const executors =
    others.length === 0
      ? `an executor has ${first} active tasks`
      : `${counts.length} executors have several active tasks`;
  const message = `${executors}, and the agent does not know which of them uses what`;
  return [{ code: 'use-unknown', severity: 'warning', message }];
}

function leftOut(agent: string, count: number): Problem {
  return {
    code: 'agent-answer-odd',
    severity: 'warning',
    message: `the agent ${agent} lists ${count} containers, more than are read`,
    agent,
  };
}
