import type { RemoteListing } from './agent-files.js';
import type { MesosEnding } from './endings.js';
import { AgentFailure, failureIn } from './failure.js';
import type { AgentPort } from './gatherer.js';
import type { Statistics } from './statistics.js';

type StateAnswer = Awaited<ReturnType<AgentPort['state']>>;

/** An agent that has several addresses, in the order in which they are tried: the first that answers is kept. */
export class PlacedAgent implements AgentPort {
  readonly #ports: readonly [AgentPort, ...AgentPort[]];
  #port: AgentPort;

  constructor(ports: readonly [AgentPort, ...AgentPort[]]) {
    this.#ports = ports;
    this.#port = ports[0];
  }

  /** The address at which it answered the last time, or the first one if it never did. */
  get base(): string {
    return this.#port.base;
  }

  async state(): Promise<StateAnswer> {
    const failures: { base: string; failure: AgentFailure }[] = [];
    for (const port of [this.#port, ...this.#ports.filter((each) => each !== this.#port)]) {
      try {
        const moment = await port.state();
        this.#port = port;
        return moment;
      } catch (error) {
        const failure = failureIn(error);
        if (failure?.kind !== 'unreachable') throw error;
        failures.push({ base: port.base, failure });
      }
    }
    const [first, ...others] = failures;
    const also = others.map(({ base, failure }) => `; at ${base}, ${failure.message}`);
    throw new AgentFailure('unreachable', `${first?.failure.message}${also.join('')}`, first?.failure.hint);
  }

  statistics(): Promise<Statistics> {
    return this.#port.statistics();
  }

  endings(): Promise<ReadonlyMap<string, MesosEnding>> {
    return this.#port.endings();
  }

  list(path: string, urgent?: boolean, known?: RemoteListing): Promise<RemoteListing> {
    return this.#port.list(path, urgent, known);
  }

  read(path: string, offset: number, length: number, urgent?: boolean): Promise<Buffer> {
    return this.#port.read(path, offset, length, urgent);
  }

  async whole(path: string, urgent?: boolean): Promise<Buffer | undefined> {
    return this.#port.whole?.(path, urgent);
  }
}
