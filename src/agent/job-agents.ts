import type { Problem } from '../errors/problem.js';
import { AGENT_PORT } from './address.js';
import { failureIn } from './failure.js';
import type { MasterFleet } from './fleet.js';
import type { AgentPort, AgentSource, ChosenAgents } from './gatherer.js';
import { type JobWord, jobIn, keyOf } from './job-word.js';
import type { ScheduledTask, SchedulerClient } from './scheduler.js';

/** What a scheduler knows is used for so long. */
const FRESH_MS = 10_000;
const MOST_LISTED = 10;

export interface JobAgentsOptions {
  /** Who schedules in a cluster; undefined if it is not known. */
  schedulerOf(cluster: string): Pick<SchedulerClient, 'tasksOf'> | undefined;
  /** The agents of masters, if these are known. */
  fleet?: MasterFleet;
  /** An agent at an address. */
  portAt(base: string): AgentPort;
  now(): number;
}

/** The agents that have the tasks of jobs, as the schedulers of their clusters know them. */
export class JobAgents implements AgentSource {
  readonly #options: JobAgentsOptions;
  readonly #ports = new Map<string, AgentPort>();
  readonly #known = new Map<string, { at: number; tasks: readonly ScheduledTask[] }>();

  constructor(options: JobAgentsOptions) {
    this.#options = options;
  }

  get masters(): readonly string[] | undefined {
    return this.#options.fleet?.masters;
  }

  /** Of tasks, only the ids tell their job, without the cluster. */
  meaningOf(word: string): string {
    const job = jobIn(word);
    return job === undefined ? word : keyOf(job);
  }

  async agentsFor(words: readonly string[]): Promise<ChosenAgents> {
    const { fleet } = this.#options;
    const ports = new Set<AgentPort>();
    const problems: Problem[] = [];
    const add = (chosen: ChosenAgents) => {
      for (const port of chosen.ports) ports.add(port);
      for (const problem of chosen.problems) problems.push(problem);
    };
    const others = words.filter((word) => jobIn(word) === undefined);
    if (fleet !== undefined && (others.length > 0 || words.length === 0)) add(await fleet.agentsFor(others));
    const jobs = words.map(jobIn).filter((job) => job !== undefined);
    for (const chosen of await Promise.all(jobs.map((job) => this.#agentsOf(job)))) add(chosen);
    return { ports: [...ports], problems };
  }

  async #agentsOf(job: JobWord): Promise<ChosenAgents> {
    const { fleet, schedulerOf } = this.#options;
    const scheduler = schedulerOf(job.cluster);
    if (scheduler === undefined) {
      return (await fleet?.agentsFor([])) ?? { ports: [], problems: [withoutScheduler(job)] };
    }
    let tasks: readonly ScheduledTask[];
    try {
      tasks = await this.#tasksOf(job, scheduler);
    } catch (error) {
      const failure = failureIn(error);
      if (failure === undefined) throw error;
      const { message, hint } = failure;
      const problem: Problem = {
        code: 'scheduler-unreachable',
        // Without it, all agents are asked, if they are known.
        severity: fleet === undefined ? 'error' : 'warning',
        message: `cannot ask the scheduler of ${job.cluster}: ${message}`,
        hint,
      };
      const all = await fleet?.agentsFor([]);
      return { ports: all?.ports ?? [], problems: [problem, ...(all?.problems ?? [])] };
    }
    const told = tasks.length === 0 ? [noTasks(job)] : pending(job, tasks);
    if (fleet !== undefined) {
      const { ports, problems } = await fleet.agentsWith(new Set(tasks.map(({ agentId }) => agentId)));
      return { ports, problems: [...problems, ...told] };
    }
    const hosts = new Set(tasks.map(({ host }) => host).filter((host) => host !== ''));
    return { ports: [...hosts].map((host) => this.#portOf(host)), problems: told };
  }

  async #tasksOf(
    job: JobWord,
    scheduler: Pick<SchedulerClient, 'tasksOf'>,
  ): Promise<readonly ScheduledTask[]> {
    const name = `${job.cluster}/${keyOf(job)}`;
    const known = this.#known.get(name);
    const at = this.#options.now();
    if (known !== undefined && at - known.at < FRESH_MS) return known.tasks;
    const tasks = await scheduler.tasksOf(job);
    this.#known.set(name, { at, tasks });
    return tasks;
  }

  /** The scheduler knows no port of an agent: without a master, it is the usual one. */
  #portOf(host: string): AgentPort {
    const base = `http://${host}:${AGENT_PORT}`;
    const port = this.#ports.get(base) ?? this.#options.portAt(base);
    this.#ports.set(base, port);
    return port;
  }
}

function withoutScheduler({ cluster }: JobWord): Problem {
  return {
    code: 'scheduler-unreachable',
    severity: 'error',
    message: `clusters.json does not say where the scheduler of ${cluster} is`,
    hint: 'it needs zk and scheduler_zk_path, scheduler_uri or proxy_url; or name the masters with --master',
  };
}

function noTasks(job: JobWord): Problem {
  return {
    code: 'job-unknown',
    severity: 'warning',
    message: `the scheduler of ${job.cluster} has no task of ${keyOf(job)}`,
  };
}

/** What no agent has yet, and why. */
function pending(job: JobWord, tasks: readonly ScheduledTask[]): Problem[] {
  const waiting = tasks.filter(({ agentId, status }) => agentId === '' && WAITING.has(status));
  return waiting.slice(0, MOST_LISTED).map(({ id, instance, status, message }) => ({
    code: 'task-pending',
    severity: 'warning',
    message: `${keyOf({ ...job, instance })} is ${status} on no agent${message === '' ? '' : `: ${message}`}`,
    task_id: id,
  }));
}

const WAITING: ReadonlySet<string> = new Set(['PENDING', 'THROTTLED', 'INIT']);
