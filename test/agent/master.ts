import type { Agent, Call } from './agent.js';
import { type Answer, failure, jsonAnswer, type Query } from './answer.js';
import { isBefore, jsonOf } from './bytes.js';

/** What can go wrong with a master. Tests change it between calls. */
export interface MasterKnobs {
  /** The header by which it knows who asks; anybody may ask without one. */
  authorization: string | undefined;
  /** The answer that it gives instead of its own; undefined: its own. */
  instead: (call: Call) => Answer | undefined;
  /** The agents, by their ids, that it has lost, and those that have not come back since it was started. */
  inactive: ReadonlySet<string>;
  recovered: ReadonlySet<string>;
  /** Whether it lists a task; tests let it forget some. */
  remembers: (taskId: string) => boolean;
  /** How it names the host of an agent, instead of by its address. */
  hostnameOf: ((agent: Agent) => string) | undefined;
}

/** A master of Mesos, as far as it tells which agents and which tasks there are. */
export class Master {
  /** The calls that it was asked, oldest first. */
  readonly calls: Call[] = [];
  readonly version: string;
  /** Where it listens, once it does. */
  address = { ip: '127.0.0.1', port: 5050 };
  /** `HOST:PORT` of the master that leads: this one, unless a test names another, or `undefined` while there is none. */
  leader: string | undefined = 'self';
  readonly knobs: MasterKnobs = {
    authorization: undefined,
    instead: () => undefined,
    inactive: new Set(),
    recovered: new Set(),
    remembers: () => true,
    hostnameOf: undefined,
  };

  constructor(
    readonly agents: readonly Agent[],
    { version = '1.11.0' } = {},
  ) {
    this.version = version;
  }

  answer(call: Call): Answer {
    const instead = this.knobs.instead(call);
    if (instead !== undefined) return instead;
    const { endpoint, query, authorization } = call;
    const name = endpoint.replace(/^\/master(?=\/)/, '');
    const own = `${this.address.ip}:${this.address.port}`;
    const leader = this.leader === 'self' ? own : this.leader;
    if (name === '/redirect') return redirect(leader ?? own, '/');
    if (!this.#has(name)) return failure(404);
    if (leader === undefined) return failure(503, 'No leader elected');
    if (this.leader !== 'self') {
      if (isBefore(this.version, '1.0.0')) return jsonAnswer(jsonOf({}), query, this.version);
      return redirect(leader, endpoint, this.version === '1.0.0' ? new Map() : query);
    }
    if (this.knobs.authorization !== undefined && authorization !== this.knobs.authorization) {
      return { status: 401, headers: { 'WWW-Authenticate': `Basic realm="${REALM}"` }, body: '' };
    }
    const answers = {
      '/state': () => this.#state(leader),
      '/slaves': () => this.#slaves(),
      '/tasks': () => this.#tasks(query),
    };
    return jsonAnswer(jsonOf(answers[name as keyof typeof answers]()), query, this.version);
  }

  #has(name: string): boolean {
    if (name === '/slaves') return !isBefore(this.version, '0.22.0');
    return name === '/state' || name === '/tasks';
  }

  #slaves() {
    const { inactive, recovered, hostnameOf } = this.knobs;
    const hasMore = !isBefore(this.version, '1.2.0');
    const of = (agent: Agent) => ({
      id: agent.id,
      // Clients have no names of hosts that are only in a test.
      hostname: hostnameOf?.(agent) ?? agent.address.ip,
      ...(hasMore ? { port: agent.address.port } : {}),
      attributes: {},
      resources: { cpus: 4, disk: 34068, gpus: 0, mem: 8192, ports: '[31000-32000]' },
    });
    const slaves = this.agents
      .filter(({ id }) => !recovered.has(id))
      .map((agent) => ({
        ...of(agent),
        pid: agent.pid,
        registered_time: 1604400000.5,
        active: !inactive.has(agent.id),
        version: agent.version,
      }));
    const others = this.agents.filter(({ id }) => recovered.has(id)).map(of);
    return hasMore ? { slaves, recovered_slaves: others } : { slaves };
  }

  /** Only newer versions choose tasks by their ids. */
  #tasks(query: Query) {
    const wanted = isBefore(this.version, '1.4.0') ? undefined : query.get('task_id');
    const offset = Number(query.get('offset') ?? 0);
    const tasks = this.agents.flatMap((agent) => agent.tasks).filter(({ id }) => this.knobs.remembers(id));
    const chosen = tasks.filter(({ id }) => wanted === undefined || id === wanted);
    return { tasks: chosen.slice(offset, offset + Number(query.get('limit') ?? 100)) };
  }

  #state(leader: string) {
    return {
      version: this.version,
      id: 'b9cc1a4b-5a0d-4b1e-8c0f-0d8ae1d3f7a2',
      pid: `master@${this.address.ip}:${this.address.port}`,
      hostname: 'localhost',
      leader: `master@${leader}`,
      activated_slaves: this.agents.length,
      deactivated_slaves: 0,
      log_dir: '/var/log/mesos',
      flags: { log_dir: '/var/log/mesos', port: String(this.address.port) },
      ...this.#slaves(),
      frameworks: [],
      completed_frameworks: [],
    };
  }
}

const REALM = 'mesos-master-readonly';

/** Without a scheme: the client keeps its own. */
function redirect(leader: string, endpoint: string, query: Query = new Map()): Answer {
  const words = [...query].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const search = words.length > 0 ? `?${words.join('&')}` : '';
  return { status: 307, headers: { Location: `//${leader}${endpoint}${search}` }, body: '' };
}
