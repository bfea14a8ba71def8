import { isPlace } from './answers.js';
import { AgentFailure } from './failure.js';
import type { HttpAnswer, HttpClient } from './http.js';
import type { JobWord } from './job-word.js';
import { fieldsIn, jsonIn } from './json-answer.js';
import { commonRefusal } from './refusal.js';

/** A task as Aurora's scheduler knows it. */
export interface ScheduledTask {
  readonly id: string;
  /** `PENDING`, `RUNNING` … */
  readonly status: string;
  readonly instance: number;
  /** Of the agent that has it: its id, and the name of its host; empty if none has it. */
  readonly agentId: string;
  readonly host: string;
  /** What the scheduler last said about it; may be empty. */
  readonly message: string;
  /** When, in milliseconds since the epoch. */
  readonly sinceMs?: number;
}

const MiB = 1024 * 1024;
const MOST = { tasks: 64 * MiB, all: 256 * MiB, leader: MiB } as const;
/** Of a job, and of a cluster. */
const MOST_TASKS = 20_000;
const MOST_OF_ALL = 200_000;

/** Asks Aurora's scheduler, which needs to know nothing about who asks. Everything rejects with AgentFailure. */
export class SchedulerClient {
  readonly #base: () => Promise<string>;
  readonly #http: HttpClient;

  /** `base`: the address of a scheduler, which may lead or not, without a slash at its end. */
  constructor(base: () => Promise<string>, http: HttpClient) {
    this.#base = base;
    this.#http = http;
  }

  async tasksOf({ role, environment, job, instance }: JobWord): Promise<readonly ScheduledTask[]> {
    const instanceIds = instance === undefined ? undefined : [instance];
    const tasks = await this.#tasks({ role, environment, jobName: job, instanceIds }, MOST.tasks);
    return tasks.slice(0, MOST_TASKS);
  }

  /** All tasks of its cluster that it remembers, those that ended, too; or the one of this id, if it remembers that. */
  async tasks(taskId?: string): Promise<readonly ScheduledTask[]> {
    const tasks = await this.#tasks(taskId === undefined ? {} : { taskIds: [taskId] }, MOST.all);
    if (tasks.length > MOST_OF_ALL) throw new AgentFailure('odd', `it has more than ${MOST_OF_ALL} tasks`);
    return tasks;
  }

  async #tasks(query: Readonly<Record<string, unknown>>, most: number): Promise<readonly ScheduledTask[]> {
    const base = await this.#leader(await this.#base());
    const post = JSON.stringify({ query });
    const path = '/apibeta/getTasksWithoutConfigs';
    const answer = await this.#http.ask({ base, path, post, most, stays: true, packed: true });
    if (answer.status !== 200) throw refusal(answer, base);
    const tasks = parseScheduledTasks(jsonIn(answer, CHECK_ADDRESS, 'utf8'));
    if (typeof tasks === 'string') throw new AgentFailure('odd', tasks, CHECK_ADDRESS);
    return tasks;
  }

  /** The leader, as any scheduler redirects to it: on this path, but not on those of the API as JSON. */
  async #leader(base: string): Promise<string> {
    const path = '/quotas';
    const answer = await this.#http.ask({ base, path, most: MOST.leader, stays: true });
    if (answer.status === 503) throw refusal(answer, base);
    const { location } = answer.headers;
    if (answer.status !== 307 || location === undefined) return base;
    const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw new AgentFailure('odd', 'it redirects to something that is not an address', CHECK_ADDRESS);
    }
    if (base.startsWith('https:') && url.protocol !== 'https:') {
      throw new AgentFailure('odd', `it redirects from https to ${url.origin}`, CHECK_ADDRESS);
    }
    return url.origin;
  }
}

const CHECK_ADDRESS = 'is it the address of the scheduler? It listens on port 8081 by default';

const ELSEWHERE: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function refusal(answer: HttpAnswer, base: string): AgentFailure {
  const { status, headers } = answer;
  // Its own page, or that of a proxy before it.
  if (status === 503) {
    const hint = 'ask again in a minute; if that does not help, check that a scheduler is running';
    return new AgentFailure('recovering', 'no scheduler leads at the moment', hint);
  }
  const common = commonRefusal(answer, { what: 'its tasks', notYet: '', sayWho: NOT_TOLD });
  if (common !== undefined) return common;
  const { location = '' } = headers;
  if (ELSEWHERE.has(status) && URL.canParse(location, base)) {
    const { origin, pathname } = new URL(location, base);
    const what = `it redirects to ${origin}${pathname}, but not as a scheduler does`;
    return new AgentFailure('odd', what, 'if it is there, say so in clusters.json: scheduler_uri');
  }
  return new AgentFailure('odd', `it answers with status ${status}`, CHECK_ADDRESS);
}

const NOT_TOLD = 'a scheduler needs no login for this, and is not told who asks: name one without a proxy';

/** The tasks of an answer, or why there are none. Pure. */
export function parseScheduledTasks(answer: unknown): readonly ScheduledTask[] | string {
  const { responseCode, result, details } = fieldsIn(answer);
  if (responseCode !== 'OK') {
    const [first] = Array.isArray(details) ? details : [];
    const { message } = fieldsIn(first);
    if (typeof responseCode !== 'string') return 'its answer is not that of a scheduler';
    return `it answers ${responseCode}${typeof message === 'string' ? `: ${message}` : ''}`;
  }
  const { tasks } = fieldsIn(fieldsIn(result).scheduleStatusResult);
  if (!Array.isArray(tasks)) return 'its answer has no tasks';
  return tasks.map(scheduledTask);
}

function scheduledTask(task: unknown): ScheduledTask {
  const { assignedTask, status, taskEvents } = fieldsIn(task);
  const { taskId, slaveId, slaveHost, instanceId } = fieldsIn(assignedTask);
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const last = Array.isArray(taskEvents) ? fieldsIn(taskEvents.at(-1)) : {};
  const { timestamp } = last;
  const host = text(slaveHost);
  return {
    id: text(taskId),
    status: text(status),
    instance: typeof instanceId === 'number' ? instanceId : 0,
    agentId: text(slaveId),
    host: isPlace(`${host}:1`) ? host : '',
    message: text(last.message),
    sinceMs: typeof timestamp === 'number' && timestamp > 0 ? timestamp : undefined,
  };
}
