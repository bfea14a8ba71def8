/** The entry of the part of the program that asks agents over HTTP: only it loads Node's HTTP. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type AgentFiles, PIECE_BYTES, type RemoteListing } from './agent-files.js';
import { type AgentState, isBefore, parseAgentState, parseListing, parsePiece } from './answers.js';
import { failedElsewhere } from './connection.js';
import { type MesosEnding, parseEndings } from './endings.js';
import { AgentFailure } from './failure.js';
import { type HttpAnswer, type HttpCall, HttpClient, type HttpOptions } from './http.js';
import { jsonIn } from './json-answer.js';
import { Lane } from './lane.js';
import { commonRefusal, SAY_WHO } from './refusal.js';
import { parseStatistics, type Statistics } from './statistics.js';

export { MasterFleet } from './fleet.js';
export { JobAgents } from './job-agents.js';
export { MasterClient } from './master.js';
export { leadingMaster, leadingScheduler } from './registered.js';
export { SchedulerClient } from './scheduler.js';

/** What an agent says about itself at one moment. */
export interface AgentMoment {
  /** The same object as before if nothing in it has changed. */
  readonly state: AgentState;
  /** By how much its clock is ahead of ours, in milliseconds; undefined if its answer has no date. */
  readonly aheadMs?: number;
}

const MiB = 1024 * 1024;
/** How long answers may be. */
const MOST = { state: 64 * MiB, listing: 32 * MiB, piece: 2 * MiB } as const;

/** Of a listing that is kept to be compared with the next one: there may be very many. */
const MOST_KEPT = 16 * 1024;

/** Calls to one agent, over at most four connections. */
const AT_ONCE = 16;

const STATE = '/state';

/** Asks servers, by these rights. */
export function httpClient(options: HttpOptions): HttpClient {
  return new HttpClient(options);
}

/** Which of the certificates and keys is not one; undefined if all are. */
export function notPem({ ca, cert, key }: HttpOptions): 'ca' | 'cert' | 'key' | undefined {
  const fails = (use: () => unknown) => {
    try {
      use();
      return false;
    } catch {
      return true;
    }
  };
  if (ca !== undefined && fails(() => new X509Certificate(ca))) return 'ca';
  if (cert !== undefined && fails(() => new X509Certificate(cert))) return 'cert';
  return key !== undefined && fails(() => createPrivateKey(key)) ? 'key' : undefined;
}

/**
 * Asks one agent, of Mesos 0.19 to 1.11. Everything rejects with AgentFailure if the answer does not come or is not one.
 * After the connection failed, everything fails at once until `state` is asked again.
 */
export class AgentClient implements AgentFiles {
  readonly #http: HttpClient;
  readonly #now: () => number;
  readonly #sayWho: string;
  readonly #lane = new Lane(AT_ONCE);
  /** Up to 0.24, all names end with it. */
  #suffix = '';
  /** It reads by READ_FILE: from 1.1 on, where its rights allow it. */
  #hasCalls = false;
  /** It has `/containers`, and the calls of `/api/v1` that only tell something. */
  #isFrom1 = false;
  #down: AgentFailure | undefined;
  /** The last state, and how it was sent. */
  #last: { sent: Buffer; state: AgentState } | undefined;

  /** `base`: its address, without a slash at the end. `now`: our clock. `sayWho`: how it learns who asks. */
  constructor(
    readonly base: string,
    http: HttpClient,
    now: () => number,
    sayWho = SAY_WHO,
  ) {
    this.#http = http;
    this.#now = now;
    this.#sayWho = sayWho;
  }

  async state(): Promise<AgentMoment> {
    this.#down = undefined;
    const sent = this.#now();
    let answer = await this.#state(STATE);
    if (answer.status === 404) answer = await this.#state(`${STATE}.json`);
    try {
      return this.#moment(answer, sent);
    } catch (error) {
      throw error instanceof AgentFailure && answer.redirected !== undefined
        ? failedElsewhere(error, answer.redirected, STATE)
        : error;
    }
  }

  #moment(answer: HttpAnswer, sent: number): AgentMoment {
    if (answer.status !== 200) throw notItsState(answer, this.#sayWho);
    const date = Date.parse(answer.headers.date ?? '');
    const aheadMs = Number.isNaN(date) ? undefined : aheadOf(date, sent, this.#now());
    const last = this.#last;
    if (last !== undefined && answer.sent === last.sent) return { state: last.state, aheadMs };
    const json = jsonIn(answer, CHECK_ADDRESS);
    const state = parseAgentState(json);
    if (state === undefined) throw notAnAgent(json);
    this.#last = { sent: answer.sent, state };
    this.#suffix = isBefore(state.version, 0, 25) ? '.json' : '';
    this.#hasCalls = state.version !== '' && !isBefore(state.version, 1, 1);
    this.#isFrom1 = state.version !== '' && !isBefore(state.version, 1, 0);
    return { state, aheadMs };
  }

  /** What an agent has to pack, we have to unpack: a state is long, the rest mostly is not. */
  #state(path: string): Promise<HttpAnswer> {
    return this.#ask(
      { base: this.base, path, most: MOST.state, packed: true, known: this.#last?.sent },
      true,
    );
  }

  /** What its containers use. The older of the two calls it answers twice a second at most. */
  async statistics(): Promise<Statistics> {
    const older = `/monitor/statistics${this.#suffix}`;
    const ask = (path: string) => this.#ask({ base: this.base, path, most: MOST.state, packed: true }, true);
    let answer = await ask(this.#isFrom1 ? '/containers' : older);
    // The two have access lists of their own, and a proxy may not pass on both.
    if (this.#isFrom1 && answer.status !== 200) answer = await ask(older);
    if (answer.status !== 200) throw refusal(answer, 'statistics of its containers');
    const statistics = parseStatistics(jsonIn(answer, CHECK_ADDRESS));
    if (statistics === undefined)
      throw new AgentFailure('odd', 'its answer does not say what its containers use');
    return statistics;
  }

  /** By a call of the protocol; versions before 1.1 tell of no end why it came. */
  async endings(): Promise<ReadonlyMap<string, MesosEnding>> {
    if (!this.#isFrom1) return new Map();
    const post = JSON.stringify({ type: 'GET_TASKS' });
    const call = { base: this.base, path: '/api/v1', post, most: MOST.state, packed: true };
    const answer = await this.#ask(call, true);
    // So 1.0 answers calls that it knows and does not have yet.
    if (answer.status === 501) return new Map();
    if (answer.status !== 200) throw refusal(answer, 'the ends of its tasks');
    const endings = parseEndings(jsonIn(answer, CHECK_ADDRESS, 'utf8'));
    if (endings === undefined) throw new AgentFailure('odd', 'its answer is not the list of its tasks');
    return endings;
  }

  async list(path: string, urgent = false, known?: RemoteListing): Promise<RemoteListing> {
    const answer = await this.#get('/files/browse', path, '', MOST.listing, urgent);
    if (answer.status !== 200) throw refusal(answer, path);
    const isKept = known !== undefined && answer.body.length <= MOST_KEPT;
    const raw = isKept ? answer.body.toString('latin1') : undefined;
    if (known !== undefined && raw !== undefined && known.raw === raw) return known;
    const listing = parseListing(jsonIn(answer, CHECK_ADDRESS), path);
    if (listing === undefined) throw new AgentFailure('odd', `its answer is not a listing of ${path}`);
    return raw === undefined ? listing : { entries: listing.entries, complete: listing.complete, raw };
  }

  async read(path: string, offset: number, length: number, urgent = false): Promise<Buffer> {
    const wanted = Math.min(length, PIECE_BYTES);
    const piece =
      (this.#hasCalls ? await this.#readByCall(path, offset, wanted, urgent) : undefined) ??
      (await this.#readAsText(path, offset, wanted, urgent));
    return piece.length > wanted ? piece.subarray(0, wanted) : piece;
  }

  /** As it is: nothing has to be decoded, and no other rights are needed than to list its directory. */
  async whole(path: string, urgent = false): Promise<Buffer | undefined> {
    try {
      const answer = await this.#get('/files/download', path, '', MOST.piece, urgent);
      if (answer.status !== 200) throw refusal(answer, path);
      return answer.body;
    } catch (error) {
      if (error instanceof AgentFailure && error.kind === 'odd') return undefined;
      throw error;
    }
  }

  /** Undefined if it has to be read in another way: the call has rights of its own, and a proxy may not pass it on. */
  async #readByCall(
    path: string,
    offset: number,
    length: number,
    urgent: boolean,
  ): Promise<Buffer | undefined> {
    const post = JSON.stringify({ type: 'READ_FILE', read_file: { path, offset, length } });
    const answer = await this.#ask({ base: this.base, path: '/api/v1', post, most: MOST.piece }, urgent);
    if (answer.status !== 200) {
      // What is true of one path may not be true of another.
      if (answer.status !== 403 && answer.status !== 404) this.#hasCalls = false;
      return undefined;
    }
    const file = (jsonIn(answer, CHECK_ADDRESS) as { read_file?: { data?: unknown } | null } | null)
      ?.read_file;
    // A file that has nothing there has no data.
    const data = file?.data ?? '';
    if (file === undefined || file === null || typeof data !== 'string') {
      throw new AgentFailure('odd', `its answer is not a piece of ${path}`);
    }
    return Buffer.from(data, 'base64');
  }

  async #readAsText(path: string, offset: number, length: number, urgent: boolean): Promise<Buffer> {
    const piece = `&offset=${offset}&length=${length}`;
    const answer = await this.#get('/files/read', path, piece, MOST.piece, urgent);
    if (answer.status !== 200) throw refusal(answer, path);
    const bytes = parsePiece(jsonIn(answer, CHECK_ADDRESS));
    if (bytes === undefined) throw new AgentFailure('odd', `its answer is not a piece of ${path}`);
    return bytes;
  }

  /** `more`: of the query. */
  async #get(
    endpoint: string,
    path: string,
    more: string,
    most: number,
    urgent: boolean,
  ): Promise<HttpAnswer> {
    const asked = `${endpoint}${this.#suffix}?path=${encodeURIComponent(path)}${more}`;
    return this.#ask({ base: this.base, path: asked, most }, urgent);
  }

  #ask(call: HttpCall, urgent: boolean): Promise<HttpAnswer> {
    return this.#lane.run(() => {
      if (this.#down !== undefined) return Promise.reject(this.#down);
      const asked = this.#http.ask(call);
      asked.catch(this.#failed);
      return asked;
    }, urgent);
  }

  readonly #failed = (error: unknown): void => {
    if (error instanceof AgentFailure && error.kind === 'unreachable') this.#down = error;
  };
}

/** By how much a time is outside of the span in which it was told; it has whole seconds. */
function aheadOf(date: number, sent: number, received: number): number {
  if (date > received) return date - received;
  return date + 1000 < sent ? date - sent : 0;
}

const CHECK_ADDRESS = 'is it the address of an agent? Agents listen on port 5051';

function notAnAgent(json: unknown): AgentFailure {
  const pid = (json as { pid?: unknown } | null)?.pid;
  const isMaster = typeof pid === 'string' && pid.startsWith('master');
  const what = isMaster ? 'it is a master, not an agent' : 'its answer is not the state of an agent';
  return new AgentFailure('odd', what, CHECK_ADDRESS);
}

/** A 400 or 500 for a path: a link that leads out of the sandbox, or what cannot be opened. */
const NOT_GIVEN: ReadonlySet<number> = new Set([400, 500]);

/** The failure that a status means. `what`: was asked for. */
function refusal(answer: HttpAnswer, what: string): AgentFailure {
  const common = commonRefusal(answer, { what, notYet: NOT_RECOVERED });
  if (common !== undefined) return common;
  const { status } = answer;
  if (NOT_GIVEN.has(status)) return new AgentFailure('forbidden', `it does not let you see ${what}`);
  if (status === 404) return new AgentFailure('absent', `it has no ${what}`, CHECK_ADDRESS);
  return new AgentFailure('odd', `it answers with status ${status} for ${what}`, CHECK_ADDRESS);
}

const NOT_RECOVERED = 'it has not recovered yet';

/** The failure that a status means when an agent was asked for its state, which each has. */
function notItsState(answer: HttpAnswer, sayWho: string): AgentFailure {
  const common = commonRefusal(answer, { what: 'its state', notYet: NOT_RECOVERED, sayWho });
  if (common !== undefined) return common;
  const { status } = answer;
  if (status === 404) return new AgentFailure('odd', 'it does not answer as an agent', CHECK_ADDRESS);
  return new AgentFailure('odd', `it answers with status ${status}`, CHECK_ADDRESS);
}
