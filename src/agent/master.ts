import { type ListedAgent, type MasterTask, parseAgents, parseTasks } from './answers.js';
import { AgentFailure } from './failure.js';
import type { HttpAnswer, HttpClient } from './http.js';
import { jsonIn } from './json-answer.js';
import { commonRefusal } from './refusal.js';

/** The agents that a leading master lists. */
export interface AgentList {
  /** The address of the master. */
  readonly leader: string;
  readonly agents: readonly ListedAgent[];
  /** How many were left out: too many, or without an address. */
  readonly leftOut: number;
}

const MiB = 1024 * 1024;
const MOST = { agents: 128 * MiB, tasks: 4 * MiB, page: 64 * MiB } as const;
const MOST_LEADERS = 5;
/** Each page is one more sort of all tasks in the one thread of the master. */
const PAGE_TASKS = 5000;
/** So many tasks of a page are in the next one, too, if none was forgotten meanwhile. */
const OVERLAP_TASKS = 100;
const MOST_TASKS = 200_000;
/** How often a list is read that changes while it is read. */
const MOST_LOOKS = 3;

/**
 * What lists agents, by version: `/slaves` is there from 0.22 on, up to 0.24 all names end with `.json`, and a proxy may
 * know only the full name. The last one tells what is there instead of a master.
 */
const LISTS = ['/slaves', '/slaves.json', '/state.json', '/master/slaves', '/state'] as const;

/** What lists tasks, as `LISTS` names it. */
const TASK_LISTS = ['/tasks', '/tasks.json', '/master/tasks'] as const;

/** Asks the masters of one cluster. Everything rejects with AgentFailure. */
export class MasterClient {
  readonly #bases: () => Promise<readonly string[]>;
  readonly #http: HttpClient;

  /** `bases`: the addresses of masters, each of which may lead; each without a slash at its end. */
  constructor(bases: () => Promise<readonly string[]>, http: HttpClient) {
    this.#bases = bases;
    this.#http = http;
  }

  /** The agents, as the leader lists them. */
  async agents(): Promise<AgentList> {
    const failures: AgentFailure[] = [];
    for (const base of await this.#bases()) {
      try {
        return await this.#agentsOf(base);
      } catch (error) {
        if (!(error instanceof AgentFailure)) throw error;
        failures.push(error);
      }
    }
    // That there is no leader is said only by one who would know it.
    throw failures.find(({ kind }) => kind === 'recovering') ?? failures[0] ?? noMaster();
  }

  /**
   * The agents that have tasks of this id, by their ids; undefined if the leader does not say it: only newer ones choose
   * tasks by their ids.
   */
  async agentsWith(taskId: string, leader: string): Promise<readonly string[] | undefined> {
    const path = `/tasks?task_id=${encodeURIComponent(taskId)}&limit=100`;
    let tasks: readonly MasterTask[] | undefined;
    try {
      const answer = await this.#http.ask({ base: leader, path, most: MOST.tasks, stays: true });
      tasks = answer.status === 200 ? parseTasks(jsonIn(answer, CHECK_ADDRESS)) : undefined;
    } catch (error) {
      // Then all agents are asked.
      if (!(error instanceof AgentFailure)) throw error;
    }
    const isChosen = tasks?.every(({ id, agentId }) => id === taskId && agentId !== '');
    return isChosen ? tasks?.map(({ agentId }) => agentId) : undefined;
  }

  /** All tasks that the leader remembers, those that ended, too; or the one of this id, if it remembers that. */
  async tasks(leader: string, taskId?: string): Promise<readonly MasterTask[]> {
    for (let look = 0; look < MOST_LOOKS; look++) {
      const tasks = await this.#allTasks(leader, taskId);
      // Older ones do not choose tasks by their ids.
      if (tasks !== undefined) return taskId === undefined ? tasks : tasks.filter(({ id }) => id === taskId);
    }
    throw new AgentFailure(
      'odd',
      'its list of tasks changes faster than it can be read',
      'ask again in a minute',
    );
  }

  /** By pages, oldest tasks first. Undefined if it forgot so many meanwhile that some may be missing. */
  async #allTasks(leader: string, taskId: string | undefined): Promise<readonly MasterTask[] | undefined> {
    const all = new Map<string, MasterTask>();
    let last: string | undefined;
    for (let offset = 0; ; offset += PAGE_TASKS - OVERLAP_TASKS) {
      const page = await this.#pageOfTasks(leader, offset, taskId);
      if (last !== undefined && !page.some(({ id }) => id === last)) return undefined;
      const before = all.size;
      for (const task of page) all.set(task.id, task);
      if (page.length < PAGE_TASKS) return [...all.values()];
      if (all.size > MOST_TASKS) {
        throw new AgentFailure('odd', `it lists more than ${MOST_TASKS} tasks`);
      }
      if (all.size === before) {
        throw new AgentFailure('odd', 'its list of tasks has the same tasks again and again', CHECK_ADDRESS);
      }
      last = page.at(-1)?.id;
    }
  }

  async #pageOfTasks(
    leader: string,
    offset: number,
    taskId: string | undefined,
  ): Promise<readonly MasterTask[]> {
    const chosen = taskId === undefined ? '' : `&task_id=${encodeURIComponent(taskId)}`;
    const query = `?limit=${PAGE_TASKS}&offset=${offset}&order=asc${chosen}`;
    for (const name of TASK_LISTS) {
      const answer = await this.#ask(leader, `${name}${query}`, MOST.page);
      if (answer.status === 404) continue;
      if (answer.status !== 200) throw refusal(answer, 'the list of its tasks');
      const tasks = parseTasks(jsonIn(answer, CHECK_ADDRESS));
      if (tasks === undefined) break;
      return tasks;
    }
    throw new AgentFailure('odd', 'its answer is not the list of its tasks', CHECK_ADDRESS);
  }

  async #agentsOf(named: string): Promise<AgentList> {
    let base = named;
    const asked = new Set<string>();
    while (asked.size < MOST_LEADERS) {
      asked.add(base);
      const found = await this.#list(base);
      if ('agents' in found) return found;
      if (asked.has(found.leader)) break;
      if (base.startsWith('https:') && !found.leader.startsWith('https:')) {
        throw new AgentFailure('odd', `it redirects from https to ${found.leader}`, CHECK_ADDRESS);
      }
      base = found.leader;
    }
    const what =
      asked.size === 1
        ? 'it redirects to itself'
        : `each of its masters says that another one leads: ${[...asked].join(', ')}`;
    throw new AgentFailure('odd', what, 'ask again in a minute: they may be electing a leader');
  }

  /** The agents that a master lists, or the address of the one that it names as the leader. */
  async #list(base: string): Promise<AgentList | { leader: string }> {
    let odd: AgentFailure | undefined;
    for (const name of LISTS) {
      const answer = await this.#ask(base, name, MOST.agents);
      const leader = leaderIn(answer, base, name);
      if (leader !== undefined) return { leader };
      if (answer.status === 404) continue;
      if (answer.status !== 200) throw refusal(answer);
      const json = jsonIn(answer, CHECK_ADDRESS);
      const agents = parseAgents(json);
      if (agents !== undefined && agents.length > 0) {
        return { leader: base, agents, leftOut: countIn(json) - agents.length };
      }
      // Before 1.0, one that does not lead answers, and knows nothing.
      const other = await this.#redirected(base);
      if (other !== undefined) return { leader: other };
      if (agents !== undefined) return { leader: base, agents, leftOut: countIn(json) };
      odd = notAMaster(json);
      if (odd.message === NO_LIST) continue;
      throw odd;
    }
    throw odd ?? new AgentFailure('odd', 'it does not answer as a master', CHECK_ADDRESS);
  }

  /** The leader, as `/redirect` tells it; undefined if it is this master, or if this master does not say it. */
  async #redirected(base: string): Promise<string | undefined> {
    for (const name of ['/redirect', '/master/redirect']) {
      const leader = leaderIn(await this.#ask(base, name, MOST.tasks), base, name);
      if (leader !== undefined) return leader === originOf(base) ? undefined : leader;
    }
    return undefined;
  }

  #ask(base: string, path: string, most: number): Promise<HttpAnswer> {
    return this.#http.ask({ base, path, most, packed: true, stays: true });
  }
}

/** Masters redirect with this status and no other. */
const TEMPORARILY = 307;
const ELSEWHERE: ReadonlySet<number> = new Set([301, 302, 303, 308]);

/**
 * The address of the leader that a redirect names; undefined if the answer is not one. Old masters write no scheme, and
 * one of them loses the query: only the host and what stands before the name of the call counts.
 */
function leaderIn({ status, headers }: HttpAnswer, base: string, name: string): string | undefined {
  const { location } = headers;
  if (location === undefined || (status !== TEMPORARILY && !ELSEWHERE.has(status))) return undefined;
  const from = `${base}${name}`;
  const url = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new AgentFailure('odd', 'it redirects to something that is not an address', CHECK_ADDRESS);
  }
  const path = url.pathname.replace(/\/+$/, '');
  const leader = `${url.origin}${path.endsWith(name) ? path.slice(0, -name.length) : ''}`;
  // A proxy or a page to log in on: what we are allowed to is not for them.
  if (status !== TEMPORARILY && (url.origin !== originOf(base) || !path.endsWith(name))) {
    const there = path.endsWith(name) ? leader : `${url.origin}${path}`;
    throw new AgentFailure(
      'odd',
      `it redirects to ${there}, but not as a master does`,
      'name that address if the master is there; if one logs in there, use --credentials-file with a token',
    );
  }
  return leader;
}

function originOf(base: string): string {
  return new URL(base).origin;
}

const CHECK_ADDRESS = 'is it the address of a master? Masters listen on port 5050';
const NO_LIST = 'its answer is not the list of its agents';

/** How many agents are in the answer of a master, whatever they are. */
function countIn(json: unknown): number {
  const { slaves, recovered_slaves: recovered } = json as Record<string, unknown>;
  const lengthOf = (list: unknown) => (Array.isArray(list) ? list.length : 0);
  return lengthOf(slaves) + lengthOf(recovered);
}

function notAMaster(json: unknown): AgentFailure {
  const pid = (json as { pid?: unknown } | null)?.pid;
  if (typeof pid === 'string' && /^slave/.test(pid)) {
    return new AgentFailure('odd', 'it is an agent, not a master', 'name it with --agent instead');
  }
  return new AgentFailure('odd', NO_LIST, CHECK_ADDRESS);
}

function noMaster(): AgentFailure {
  return new AgentFailure('unreachable', 'there is no master', CHECK_ADDRESS);
}

/** The failure that a status means. `what`: was asked for. */
function refusal(answer: HttpAnswer, what = 'the list of its agents'): AgentFailure {
  const common = commonRefusal(answer, { what, notYet: 'no master leads at the moment' });
  return common ?? new AgentFailure('odd', `it answers with status ${answer.status}`, CHECK_ADDRESS);
}
