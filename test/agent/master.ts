import type { Agent, Call } from './agent.js';
import { type Answer, failure, jsonAnswer, type Query } from './answer.js';
import { isBefore, jsonOf } from './bytes.js';

/** A master of Mesos, as far as it tells which agents there are. */
export class Master {
  /** The calls that it was asked, oldest first. */
  readonly calls: Call[] = [];
  readonly version: string;
  /** Where it listens, once it does. */
  address = { ip: '127.0.0.1', port: 5050 };
  /** `HOST:PORT` of the master that leads: this one, unless a test names another, or `undefined` while there is none. */
  leader: string | undefined = 'self';

  constructor(
    readonly agents: readonly Agent[],
    { version = '1.11.0' } = {},
  ) {
    this.version = version;
  }

  answer({ endpoint, query }: Call): Answer {
    const name = endpoint.replace(/^\/master(?=\/)/, '');
    const leader = this.leader === 'self' ? `${this.address.ip}:${this.address.port}` : this.leader;
    if (name === '/redirect') return redirect(leader ?? `${this.address.ip}:${this.address.port}`, '/');
    if (name !== '/state' && name !== '/slaves') return failure(404);
    if (leader === undefined) return failure(503, 'No leader elected');
    if (this.leader !== 'self') {
      return isBefore(this.version, '1.0.0')
        ? jsonAnswer(jsonOf({}), query, this.version)
        : redirect(leader, endpoint, query);
    }
    return jsonAnswer(jsonOf(name === '/state' ? this.#state(leader) : this.#slaves()), query, this.version);
  }

  #slaves() {
    const slaves = this.agents.map((agent) => ({
      id: agent.id,
      hostname: agent.hostname,
      port: agent.address.port,
      pid: agent.pid,
      attributes: {},
      resources: { cpus: 4, disk: 34068, gpus: 0, mem: 8192, ports: '[31000-32000]' },
      registered_time: 1604400000.5,
      active: true,
      version: agent.version,
    }));
    return { slaves, recovered_slaves: [] };
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

/** Without a scheme: the client keeps its own. */
function redirect(leader: string, endpoint: string, query: Query = new Map()): Answer {
  const words = [...query].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const search = words.length > 0 ? `?${words.join('&')}` : '';
  return { status: 307, headers: { Location: `//${leader}${endpoint}${search}` }, body: '' };
}
