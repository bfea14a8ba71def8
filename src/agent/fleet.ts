import type { Problem } from '../errors/problem.js';
import type { ListedAgent, MasterTask } from './answers.js';
import { failureIn, masterProblem } from './failure.js';
import type { AgentPort, AgentSource, ChosenAgents } from './gatherer.js';
import type { AgentList, MasterClient } from './master.js';
import { PlacedAgent } from './placed-agent.js';

/** By which of their addresses agents are asked; without one, by the name of their host and then by its address. */
export type AgentAddress = 'hostname' | 'ip' | 'proxy';

/** The masters of one cluster. */
export interface Cluster {
  /** As a person named them, without a secret. */
  readonly name: string;
  readonly master: Pick<MasterClient, 'agents' | 'agentsWith' | 'tasks'>;
}

export interface FleetOptions {
  /** An agent at an address. */
  portAt(base: string): AgentPort;
  now(): number;
  address?: AgentAddress;
  /** The masters that an advised command has to name. */
  advised: readonly string[];
}

/** A list of agents is used for so long: agents come and go rarely, and a master has one thread. */
const FRESH_MS = 10_000;
/** More words than these are not asked for one by one. */
const MOST_WORDS = 16;

interface KnownCluster extends Cluster {
  list?: AgentList;
  askedAt: number;
  problems: readonly Problem[];
  /** The agents that have a task, by its id. */
  holders: Map<string, readonly string[] | undefined>;
}

/** The agents that masters list. */
export class MasterFleet implements AgentSource {
  readonly masters: readonly string[];
  readonly #clusters: readonly KnownCluster[];
  readonly #options: FleetOptions;
  /** By their addresses: a port stays the same, with what is known of it. */
  readonly #ports = new Map<string, PlacedAgent>();

  constructor(clusters: readonly Cluster[], options: FleetOptions) {
    this.#options = options;
    this.#clusters = clusters.map((cluster) => ({
      ...cluster,
      askedAt: Number.NEGATIVE_INFINITY,
      problems: [],
      holders: new Map(),
    }));
    this.masters = options.advised;
  }

  async agentsFor(words: readonly string[]): Promise<ChosenAgents> {
    const clusters = await this.#leading();
    return this.#chosen(clusters, await this.#withTasks(words, clusters));
  }

  /** Those of these agents, by their ids, that masters list. */
  async agentsWith(ids: ReadonlySet<string>): Promise<ChosenAgents> {
    return this.#chosen(await this.#leading(), ids);
  }

  /**
   * What the masters remember of tasks, or of the one of this id; those of a master that does not say it are missing, with a
   * problem.
   */
  async tasks(taskId?: string): Promise<{ tasks: readonly MasterTask[]; problems: readonly Problem[] }> {
    const problems: Problem[] = [];
    const ask = async ({ name, master, list }: KnownCluster) => {
      try {
        return await master.tasks(list?.leader ?? '', taskId);
      } catch (error) {
        const failure = failureIn(error);
        if (failure === undefined) throw error;
        problems.push(masterProblem(failure, name));
        return [];
      }
    };
    const tasks = await Promise.all((await this.#leading()).map(ask));
    return { tasks: tasks.flat(), problems };
  }

  /** The clusters that have a leader; each counts once, whichever of its masters are named. */
  async #leading(): Promise<readonly KnownCluster[]> {
    await Promise.all(this.#clusters.map((cluster) => this.#ask(cluster)));
    const leaders = new Map<string, KnownCluster>();
    for (const cluster of this.#clusters) {
      if (cluster.list !== undefined && !leaders.has(cluster.list.leader)) {
        leaders.set(cluster.list.leader, cluster);
      }
    }
    return [...leaders.values()];
  }

  #chosen(clusters: readonly KnownCluster[], chosen: ReadonlySet<string> | undefined): ChosenAgents {
    const problems = this.#clusters.flatMap((cluster) => cluster.problems);
    const ports = new Set<AgentPort>();
    for (const { name, list } of clusters) {
      for (const agent of sortedByStanding(list?.agents ?? [])) {
        if (chosen !== undefined && !chosen.has(agent.id)) continue;
        const port = this.#portOf(agent, list?.leader ?? '');
        if (port === undefined) {
          problems.push(withoutAddress(agent, name));
          continue;
        }
        // The address of an agent that has a new id: the master remembers the old one, too.
        if (ports.has(port)) continue;
        ports.add(port);
        if (agent.standing === 'inactive') problems.push(inactive(agent, port.base, name));
      }
    }
    return { ports: [...ports], problems };
  }

  async #ask(cluster: KnownCluster): Promise<void> {
    const now = this.#options.now();
    if (now - cluster.askedAt < FRESH_MS && cluster.list !== undefined) return;
    cluster.holders.clear();
    try {
      cluster.list = await cluster.master.agents();
      cluster.askedAt = now;
      const { leftOut } = cluster.list;
      cluster.problems = leftOut === 0 ? [] : [agentsLeftOut(cluster.name, leftOut)];
    } catch (error) {
      const failure = failureIn(error);
      if (failure === undefined) throw error;
      // The agents that it listed before are asked as long as it does not answer.
      cluster.problems = [masterProblem(failure, cluster.name)];
    }
  }

  /**
   * The ids of the agents that have what the words mean, if each of them is the id of a task that a master knows, or a
   * path that names an agent; undefined if others may have it, too.
   */
  async #withTasks(
    words: readonly string[],
    clusters: readonly KnownCluster[],
  ): Promise<ReadonlySet<string> | undefined> {
    if (words.length === 0 || words.length > MOST_WORDS) return undefined;
    const chosen = new Set<string>();
    for (const word of words) {
      const agents = await this.#holdersOf(word, clusters);
      if (agents.length === 0) return undefined;
      for (const agent of agents) chosen.add(agent);
    }
    return chosen;
  }

  async #holdersOf(word: string, clusters: readonly KnownCluster[]): Promise<readonly string[]> {
    const listed = new Set(clusters.flatMap(({ list }) => list?.agents.map(({ id }) => id) ?? []));
    const [, inPath] = AGENT_IN_PATH.exec(word) ?? [];
    if (inPath !== undefined) return listed.has(inPath) ? [inPath] : [];
    if (!MAY_BE_ID.test(word)) return [];
    const found = await Promise.all(
      clusters.map(async ({ holders, master, list }) => {
        if (!holders.has(word)) holders.set(word, await master.agentsWith(word, list?.leader ?? ''));
        return holders.get(word) ?? [];
      }),
    );
    const agents = found.flat();
    return agents.every((id) => listed.has(id)) ? agents : [];
  }

  /** Undefined if it has no address of the kind that is asked for. */
  #portOf({ id, hostname, places }: ListedAgent, leader: string): PlacedAgent | undefined {
    const { address, portAt } = this.#options;
    const { protocol, origin } = new URL(leader);
    const isNamed = (place: string) => place.startsWith(`${hostname}:`);
    const bases =
      address === 'proxy'
        ? [`${origin}/agent/${encodeURIComponent(id)}`]
        : places
            .filter((place) => address === undefined || isNamed(place) === (address === 'hostname'))
            .map((place) => `${protocol}//${place}`);
    const [first, ...others] = bases;
    if (first === undefined) return undefined;
    let port = this.#ports.get(first);
    if (port === undefined) {
      port = new PlacedAgent([portAt(first), ...others.map(portAt)]);
      this.#ports.set(first, port);
    }
    return port;
  }
}

const AGENT_IN_PATH = /^\/.*\/slaves\/([^/]+)\/frameworks\//;
/** Neither a pattern nor a job's key. */
const MAY_BE_ID = /^[\w.-]+$/;

/** Those that the master has not lost come first. */
function sortedByStanding(agents: readonly ListedAgent[]): readonly ListedAgent[] {
  const lost = agents.filter(({ standing }) => standing === 'inactive');
  return lost.length === 0 ? agents : [...agents.filter(({ standing }) => standing !== 'inactive'), ...lost];
}

function inactive({ hostname, id }: ListedAgent, agent: string, master: string): Problem {
  return {
    code: 'agent-inactive',
    severity: 'warning',
    message: `the master ${master} has lost the agent ${id} on ${hostname}`,
    agent,
  };
}

function withoutAddress({ hostname, id }: ListedAgent, master: string): Problem {
  return {
    code: 'agent-unreachable',
    severity: 'error',
    message: `the master ${master} has no such address of the agent ${id} on ${hostname}`,
    hint: 'use another --agent-address',
  };
}

function agentsLeftOut(master: string, count: number): Problem {
  return {
    code: 'master-answer-odd',
    severity: 'warning',
    message: `the master ${master} lists ${count} agents that are not asked: there are too many, or they have no address`,
  };
}
