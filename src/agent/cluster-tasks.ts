import type { Problem } from '../errors/problem.js';
import { taskIdOfExecutor } from '../layout/mesos.js';
import type { MasterTask } from './answers.js';
import { failureIn } from './failure.js';
import type { MasterFleet } from './fleet.js';
import type { ScheduledTask, SchedulerClient } from './scheduler.js';

/** A task as its scheduler or its master has it. */
export interface ClusterTask {
  readonly id: string;
  /** Of the agent that has it; empty if none has. */
  readonly agentId: string;
  /** A schedule status of Aurora, or of a master a state of Mesos. */
  readonly status: string;
  /** What the scheduler last said about it; may be empty. */
  readonly message: string;
  /** Since when it has that status, in milliseconds since the epoch. */
  readonly sinceMs?: number;
}

/** What is known of all tasks of clusters by those who place them. */
export interface ClusterTasks {
  /** Who knows it; undefined if nobody who does answered, or is known. */
  readonly source?: 'scheduler' | 'master';
  readonly tasks: readonly ClusterTask[];
  /** If only some agents of a cluster were asked: their ids. */
  readonly agentIds?: ReadonlySet<string>;
  /** Why those who know more do not say it; each is a warning. */
  readonly problems: readonly Problem[];
}

export interface ClusterTasksOptions {
  /** The schedulers of all clusters that are asked, by the names of these; none if one of them is not known. */
  readonly schedulers: ReadonlyMap<string, Pick<SchedulerClient, 'tasks'>>;
  readonly fleet?: Pick<MasterFleet, 'tasks'>;
  /** The only task that is asked about; default: all. */
  readonly taskId?: string;
}

/**
 * All tasks of Thermos, or one, as the schedulers of the clusters have them; or, if one of these does not answer, as their
 * masters do. Rejects with nothing but bugs.
 */
export async function clusterTasks({
  schedulers,
  fleet,
  taskId,
}: ClusterTasksOptions): Promise<ClusterTasks> {
  const problems: Problem[] = [];
  const ask = async ([cluster, scheduler]: readonly [string, Pick<SchedulerClient, 'tasks'>]) => {
    try {
      return await scheduler.tasks(taskId);
    } catch (error) {
      const failure = failureIn(error);
      if (failure === undefined) throw error;
      const { message, hint } = failure;
      const what = `cannot ask the scheduler of ${cluster}: ${message}`;
      problems.push({ code: 'scheduler-unreachable', severity: 'warning', message: what, hint });
      return [];
    }
  };
  const scheduled = await Promise.all([...schedulers].map(ask));
  if (schedulers.size > 0 && problems.length === 0) {
    return { source: 'scheduler', tasks: scheduled.flat().map(ofScheduler), problems };
  }
  const known = await fleet?.tasks(taskId);
  for (const problem of known?.problems ?? []) problems.push({ ...problem, severity: 'warning' });
  if (known === undefined || known.problems.length > 0) return { tasks: [], problems };
  return { source: 'master', tasks: known.tasks.flatMap(ofMaster), problems };
}

function ofScheduler({ id, agentId, status, message, sinceMs }: ScheduledTask): ClusterTask {
  return { id, agentId, status, message, sinceMs };
}

/** A master has tasks of other frameworks, too: those of Thermos have an executor that is named after them. */
function ofMaster({ id, agentId, executorId, state, sinceMs }: MasterTask): ClusterTask[] {
  if (taskIdOfExecutor(executorId) !== id) return [];
  return [{ id, agentId, status: state, message: '', sinceMs }];
}
