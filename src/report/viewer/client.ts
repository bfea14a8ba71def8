import { type AgentFiles, PIECE_BYTES, type RemoteListing } from '../../agent/agent-files.js';
import {
  type AgentState,
  isBefore,
  type ListedAgent,
  parseAgentState,
  parseAgents,
  parseListing,
  parsePiece,
} from '../../agent/answers.js';
import { Lane } from '../../agent/lane.js';

/**
 * Loads what an address answers as JSON, a character for each byte of its strings. Rejects if nothing comes in time, or
 * something else: a browser does not say why.
 */
export type Load = (address: string) => Promise<unknown>;

/** As many calls at once are what a browser makes to one host, less two for the person who uses it. */
const AT_ONCE = 4;

/** The address did not answer as an agent or a master does. */
export class NoAnswer extends Error {}

/** Asks one agent, with few calls at once; those that are `urgent`, because a person waits for them, before others. Everything rejects with NoAnswer if the answer does not come or is not one. */
export class BrowserAgentClient implements AgentFiles {
  readonly #load: Load;
  readonly #lane = new Lane(AT_ONCE);
  /** Up to 0.24, all names end with it. */
  #suffix = '';

  /** `base`: its address, without a slash at the end. */
  constructor(
    readonly base: string,
    load: Load,
  ) {
    this.#load = load;
  }

  async state(): Promise<AgentState> {
    for (const name of ['/state', '/state.json']) {
      const state = parseAgentState(await this.#ask(name, {}).catch(() => undefined));
      if (state === undefined) continue;
      this.#suffix = isBefore(state.version, 0, 25) ? '.json' : '';
      return state;
    }
    throw new NoAnswer(`${this.base} does not answer as an agent`);
  }

  /** What is in a directory. */
  async list(path: string, urgent = false): Promise<RemoteListing> {
    const listing = parseListing(await this.#ask(`/files/browse${this.#suffix}`, { path }, urgent), path);
    if (listing === undefined) throw new NoAnswer(`${this.base} does not list ${path}`);
    return listing;
  }

  /** Up to `length` bytes of a file, at most PIECE_BYTES; none at its end. */
  async read(path: string, offset: number, length: number, urgent = false): Promise<Buffer> {
    const wanted = Math.min(length, PIECE_BYTES);
    const query = { path, offset: String(offset), length: String(wanted) };
    const piece = parsePiece(await this.#ask(`/files/read${this.#suffix}`, query, urgent));
    if (piece === undefined) throw new NoAnswer(`${this.base} does not give ${path}`);
    return piece.length > wanted ? piece.subarray(0, wanted) : piece;
  }

  #ask(name: string, query: Readonly<Record<string, string>>, urgent = false): Promise<unknown> {
    return this.#lane.run(() => this.#load(addressOf(this.base, name, query)), urgent);
  }
}

/** The agents of a master, as any master of the cluster lists them. */
export async function agentsOf(base: string, load: Load): Promise<readonly ListedAgent[]> {
  for (const name of ['/slaves', '/state', '/state.json']) {
    const agents = parseAgents(await load(addressOf(base, name, {})).catch(() => undefined));
    if (agents !== undefined) return agents;
  }
  throw new NoAnswer(`${base} does not answer as a master`);
}

function addressOf(base: string, name: string, query: Readonly<Record<string, string>>): string {
  const fields = Object.entries(query).map(([field, value]) => `${field}=${encodeURIComponent(value)}`);
  return `${base}${name}${fields.length === 0 ? '' : `?${fields.join('&')}`}`;
}
