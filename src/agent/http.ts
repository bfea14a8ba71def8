import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { createGunzip, gunzipSync } from 'node:zlib';
import type { AnswerReader, HttpHeaders } from './answer-reader.js';
import { failedConnection, failedElsewhere, isBroken, tooLong } from './connection.js';
import { AgentFailure } from './failure.js';
import type { Late, Place, Security } from './http-connection.js';
import { type CallQueue, HttpPool, type Origin } from './http-pool.js';

export interface HttpOptions {
  /** The value of the header `Authorization`: a secret. It goes only to the hosts that are asked, never where they redirect. */
  readonly authorization?: string;
  /** Certificates, as PEM: of the authorities that may sign for a server instead of the known ones, and our own with its key. */
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Believes any certificate. */
  readonly insecure?: boolean;
  /** How long connecting may take, and how long nothing may come of an answer; in milliseconds. */
  readonly connectMs?: number;
  readonly idleMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** Empty if it was known. */
  readonly body: Buffer;
  /** The body as it was sent, perhaps packed; if that was known, the very buffer that the call named. */
  readonly sent: Buffer;
  /** Where it was redirected to, without a query; undefined if it was not. */
  readonly redirected?: string;
}

export interface HttpCall {
  /** The address of the server, with the prefix of a proxy but without a slash at the end. */
  readonly base: string;
  /** What is asked there: a path and perhaps a query. */
  readonly path: string;
  /** JSON that is posted; without it, the call is a GET. It must change nothing: it may be made again. */
  readonly post?: string;
  /** A longer body is a failure. */
  readonly most: number;
  /** The body may be long, so that it pays to have it packed on the way. */
  readonly packed?: boolean;
  /** A redirect is an answer, and is not followed. */
  readonly stays?: boolean;
  /** A body that was sent before: if it comes again, it is not unpacked. */
  readonly known?: Buffer;
}

/** A server, in one of two roles: it was named, or it was redirected to. */
interface ServerRole {
  readonly origin: Origin;
  /** Of the calls to the server that was named. */
  readonly queue: CallQueue;
  /** The lines of a call that are the same each time. */
  readonly head: string;
  /** Of the path, for what is asked for below it. */
  readonly prefix: string;
}

const NOTHING = Buffer.alloc(0);
const CONNECT_MS = 10_000;
const IDLE_MS = 30_000;
/** An answer that never ends, ends. */
const WHOLE_MS = 300_000;
/** Of an answer that takes longer than the time in which something has to come. */
const LEAST_BYTES_PER_SECOND = 1024;
const MOST_REDIRECTS = 5;
/** Before a call is made again: twice, after a connection that broke or the answer of a proxy that has none. */
const PAUSES_MS = [100, 400];
const AGAIN: ReadonlySet<number> = new Set([502, 503, 504]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A body up to this size is unpacked at once. */
const SMALL_BYTES = 64 * 1024;

/**
 * Asks servers over HTTP, with connections that are kept. On sockets and not with Node's own client of HTTP, which takes three
 * times the processor time of these calls.
 */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #pool: HttpPool;
  /** By the addresses of servers: to parse one takes longer than to send a call. */
  readonly #roles = new Map<string, ServerRole>();
  readonly #origins = new Map<string, Origin>();
  readonly #contexts = new Map<boolean, SecureContext>();
  #isClosed = false;

  constructor(options: HttpOptions) {
    this.#options = options;
    const { connectMs = CONNECT_MS, idleMs = IDLE_MS } = options;
    const tickMs = Math.max(5, Math.min(connectMs, idleMs, 5000) / 10);
    const ticks = (ms: number) => Math.ceil(ms / tickMs);
    const patience = {
      connect: ticks(connectMs),
      idle: ticks(idleMs),
      whole: ticks(WHOLE_MS),
      leastBytes: (tickMs / 1000) * LEAST_BYTES_PER_SECOND,
    };
    this.#pool = new HttpPool(tickMs, patience, (why) => {
      const seconds = { connect: connectMs, idle: idleMs, slow: idleMs, whole: WHOLE_MS }[why] / 1000;
      return new AgentFailure('unreachable', `${LATE[why]} within ${seconds}s`, CHECK_WAY);
    });
  }

  /** Rejects with AgentFailure if no whole answer comes in time; an answer of any status is one. */
  ask(call: HttpCall): Promise<HttpAnswer> {
    // The one promise of almost all calls.
    return new Promise((resolve, reject) => {
      const role = this.#named(call.base);
      const answered = (answer: HttpAnswer) => {
        if (!AGAIN.has(answer.status) && !REDIRECTS.has(answer.status)) resolve(answer);
        else resolve(this.#again(call, this.#follow(call, answer)));
      };
      const failed = (error: unknown) => {
        if (isBroken(error) && !this.#isClosed) resolve(this.#again(call, Promise.reject(error)));
        else reject(error);
      };
      this.#send(role, `${role.prefix}${call.path}`, call, answered, failed);
    });
  }

  /** Calls that are not over fail. */
  close(): void {
    this.#isClosed = true;
    this.#pool.close();
  }

  async #again(call: HttpCall, first: Promise<HttpAnswer>): Promise<HttpAnswer> {
    let attempt = first;
    for (const pause of PAUSES_MS) {
      try {
        const answer = await attempt;
        if (!AGAIN.has(answer.status)) return answer;
      } catch (error) {
        if (!isBroken(error) || this.#isClosed) throw error;
      }
      await sleep(pause);
      attempt = this.#follow(call);
    }
    return attempt;
  }

  /** `first`: the answer of the server that was named, if it was asked before. */
  async #follow(call: HttpCall, first?: HttpAnswer): Promise<HttpAnswer> {
    let role = this.#named(call.base);
    const named = role.origin.place.url;
    let path = `${role.prefix}${call.path}`;
    let redirected: string | undefined;
    for (let redirects = 0; ; redirects++) {
      const isKnown = redirects === 0 && first !== undefined;
      const answer = isKnown ? first : await this.#onceAt(role, path, call, redirected);
      const { location } = answer.headers;
      if (call.stays || !REDIRECTS.has(answer.status) || location === undefined) {
        return redirected === undefined ? answer : { ...answer, redirected };
      }
      if (redirects === MOST_REDIRECTS) {
        throw new AgentFailure('odd', `it redirects more than ${MOST_REDIRECTS} times`, CHECK_ADDRESS);
      }
      const from = new URL(path, role.origin.place.url);
      const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
      if (next === undefined || !/^https?:$/.test(next.protocol)) {
        throw new AgentFailure('odd', 'it redirects to something that is not an address', CHECK_ADDRESS);
      }
      if (named.protocol === 'https:' && next.protocol !== named.protocol) {
        throw new AgentFailure('odd', `it redirects from https to http, to ${next.host}`, CHECK_ADDRESS);
      }
      role = this.#roleOf(next, next.origin === named.origin, role.queue);
      path = `${next.pathname}${next.search}`;
      redirected = `${next.origin}${next.pathname}`;
    }
  }

  async #onceAt(
    role: ServerRole,
    path: string,
    call: HttpCall,
    redirected: string | undefined,
  ): Promise<HttpAnswer> {
    if (redirected === undefined) return this.#once(role, path, call);
    try {
      return await this.#once(role, path, call);
    } catch (error) {
      const [name = ''] = call.path.split('?');
      throw error instanceof AgentFailure ? failedElsewhere(error, redirected, name) : error;
    }
  }

  #named(base: string): ServerRole {
    let role = this.#roles.get(base);
    if (role === undefined) {
      role = this.#roleOf(new URL(base), true, this.#pool.queue());
      this.#roles.set(base, role);
    }
    return role;
  }

  /** Only hosts that were named see who we are. */
  #roleOf(url: URL, isNamed: boolean, queue: CallQueue): ServerRole {
    const { authorization } = this.#options;
    const key = `${isNamed} ${url.origin}`;
    let origin = this.#origins.get(key);
    if (origin === undefined) {
      origin = this.#pool.origin(placeAt(url), this.#security(url, isNamed));
      this.#origins.set(key, origin);
    }
    const secret = isNamed && authorization !== undefined ? `Authorization: ${authorization}\r\n` : '';
    const head = eachByte(`Host: ${url.host}\r\nAccept: application/json\r\n${secret}`);
    return { origin, queue, head, prefix: url.pathname === '/' ? '' : url.pathname };
  }

  #security({ protocol }: URL, isNamed: boolean): Security | undefined {
    if (protocol !== 'https:') return undefined;
    const { ca, cert, key, insecure } = this.#options;
    let context = this.#contexts.get(isNamed);
    if (context === undefined) {
      context = createSecureContext(isNamed ? { ca, cert, key } : { ca });
      this.#contexts.set(isNamed, context);
    }
    return { context, rejectUnauthorized: insecure !== true };
  }

  #once(role: ServerRole, path: string, call: HttpCall): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => this.#send(role, path, call, resolve, reject));
  }

  /** Calls exactly one of the two, once. */
  #send(
    { origin, queue, head }: ServerRole,
    path: string,
    call: HttpCall,
    resolve: (answer: HttpAnswer) => void,
    reject: (error: AgentFailure) => void,
  ): void {
    const { most, known } = call;
    const failed = (error: unknown) => reject(failedConnection(error, origin.place.url));
    const answered = ({ status, headers, body }: AnswerReader) => {
      const isPacked = headers['content-encoding'] === 'gzip' && body.length > 0;
      if (status === 200 && known?.equals(body)) resolve({ status, headers, body: NOTHING, sent: known });
      else if (!isPacked) resolve({ status, headers, body, sent: body });
      else unpacked(body, most).then((all) => resolve({ status, headers, body: all, sent: body }), failed);
    };
    this.#pool.send(queue, origin, { text: textOf(path, head, call), most, answered, failed });
  }
}

const LATE: Readonly<Record<Late, string>> = {
  connect: 'there was no connection',
  idle: 'nothing came',
  slow: 'hardly anything came',
  whole: 'the answer was cut off',
};

function textOf(path: string, head: string, { post, packed }: HttpCall): string {
  const coding = packed ? 'Accept-Encoding: gzip\r\n' : '';
  if (post === undefined) return `GET ${path} HTTP/1.1\r\n${head}${coding}\r\n`;
  const body = eachByte(post);
  // Anything after the type is refused.
  return `POST ${path} HTTP/1.1\r\n${head}${coding}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** A text with a character for each byte of this one: it is written in less time. */
function eachByte(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Without the brackets of an IPv6 address. */
function placeAt(url: URL): Place {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { url, hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
}

const CHECK_ADDRESS = 'is the address right? Agents listen on port 5051, masters on 5050';
const CHECK_WAY = 'check that it is running, and that no firewall is in between';

async function unpacked(body: Buffer, most: number): Promise<Buffer> {
  try {
    if (body.length <= SMALL_BYTES) return gunzipSync(body, { maxOutputLength: most });
    const parts: Buffer[] = [];
    let length = 0;
    const stream = createGunzip();
    stream.end(body);
    for await (const part of stream as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > most) throw tooLong(most);
      parts.push(part);
    }
    return Buffer.concat(parts, length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(most);
    if (error instanceof AgentFailure) throw error;
    throw new AgentFailure('odd', 'its answer cannot be unpacked');
  }
}
