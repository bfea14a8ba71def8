import type { Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import type { ContainerReading } from '../top/containers.js';
import { failureIn, problemOf } from './failure.js';
import type { AgentTasks } from './gatherer.js';
import { Lane } from './lane.js';
import type { Statistics } from './statistics.js';

/** Agents that are asked at the same time. */
const MOST_AGENTS = 64;

export interface Uses {
  /** What the containers of tasks have used, by their checkpoint directories. */
  readonly readings: ReadonlyMap<string, ContainerReading>;
  readonly problems: readonly Problem[];
}

/** A task of an agent, as far as its container is found by it. */
export type UsingTask = Pick<TaskView, 'mesos' | 'found' | 'root'>;

/** Asks the agents of these tasks once each what their containers have used. Never rejects for an agent. */
export async function askForUses(agents: AgentTasks, views: readonly UsingTask[]): Promise<Uses> {
  const byAgent = new Map<string, UsingTask[]>();
  for (const view of views) {
    const url = view.root.agent?.url ?? '';
    const same = byAgent.get(url);
    if (same === undefined) byAgent.set(url, [view]);
    else same.push(view);
  }
  const lane = new Lane(MOST_AGENTS);
  const readings = new Map<string, ContainerReading>();
  const problems: Problem[] = [];
  const ask = async (url: string, own: readonly UsingTask[]) => {
    try {
      const statistics = await agents.portOf(own[0] as UsingTask).statistics();
      if (statistics.leftOut > 0) problems.push(leftOut(url, statistics.leftOut));
      for (const [key, reading] of readingsOf(own, statistics)) readings.set(key, reading);
    } catch (error) {
      const failure = failureIn(error);
      if (failure === undefined) throw error;
      problems.push(problemOf(failure, url));
    }
  };
  await Promise.all([...byAgent].map(([url, own]) => lane.run(() => ask(url, own))));
  return { readings, problems: [...problems, ...shared(views)] };
}

/**
 * The readings of tasks by their checkpoint directories. That of an executor is the task's, if it is its only one that is
 * active: executor, runner and coordinators are in the container, too. Pure.
 */
export function readingsOf(
  views: readonly UsingTask[],
  { containers }: Statistics,
): Map<string, ContainerReading> {
  const byExecutor = new Map<string, ContainerReading>();
  const byContainer = new Map<string, ContainerReading>();
  for (const reading of containers) {
    byExecutor.set(`${reading.frameworkId}/${reading.executorId}`, reading);
    if (reading.containerId !== undefined) byContainer.set(reading.containerId, reading);
  }
  const alone = new Set(aloneOf(views));
  const found = views.map(({ mesos, found: { checkpoint_dir }, root }) => {
    if (mesos === undefined || !alone.has(root.path)) return undefined;
    const ofExecutor = byExecutor.get(`${mesos.framework_id}/${mesos.executor_id}`);
    const reading = byContainer.get(mesos.container_id) ?? ofExecutor;
    const isOther = reading?.containerId !== undefined && reading.containerId !== mesos.container_id;
    return reading === undefined || isOther ? undefined : ([checkpoint_dir, reading] as const);
  });
  return new Map(found.filter((each) => each !== undefined));
}

/** The roots in which one task is active. */
function aloneOf(views: readonly UsingTask[]): string[] {
  return [...rootsOf(views)].filter(([, count]) => count === 1).map(([path]) => path);
}

function rootsOf(views: readonly UsingTask[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { root } of views) counts.set(root.path, (counts.get(root.path) ?? 0) + 1);
  return counts;
}

function shared(views: readonly UsingTask[]): Problem[] {
  const count = [...rootsOf(views).values()].filter((each) => each > 1).length;
  if (count === 0) return [];
  const executors = count === 1 ? 'an executor has' : `${count} executors have`;
  const message = `${executors} several active tasks: the agent does not know which of them uses what`;
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
