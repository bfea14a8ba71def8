import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import { size } from '../text/size.js';
import { failedConnection, isBroken } from './connection.js';
import { AgentFailure } from './failure.js';

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
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpCall {
  readonly url: string;
  /** JSON that is posted; without it, the call is a GET. It must change nothing: it may be made again. */
  readonly post?: string;
  /** A longer body is a failure. */
  readonly most: number;
}

const CONNECT_MS = 10_000;
const IDLE_MS = 30_000;
/** An answer that comes byte by byte ends, too. */
const WHOLE_MS = 300_000;
const MOST_REDIRECTS = 5;
/** 64 agents at once, with 4 connections each. */
const MOST_SOCKETS = 256;
/** Before a call is made again: twice, after a connection that broke or the answer of a proxy that has none. */
const PAUSES_MS = [100, 400];
const AGAIN: ReadonlySet<number> = new Set([502, 503, 504]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A body up to this size is unpacked at once. */
const SMALL_BYTES = 64 * 1024;

/** Asks servers over HTTP, with connections that are kept. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #agents = new Map<string, http.Agent>();

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Rejects with AgentFailure if no whole answer comes in time; an answer of any status is one. */
  async ask(call: HttpCall): Promise<HttpAnswer> {
    for (const pause of PAUSES_MS) {
      try {
        const answer = await this.#follow(call);
        if (!AGAIN.has(answer.status)) return answer;
      } catch (error) {
        if (!isBroken(error)) throw error;
      }
      await sleep(pause);
    }
    return this.#follow(call);
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  async #follow(call: HttpCall): Promise<HttpAnswer> {
    let url = new URL(call.url);
    const { origin, protocol } = url;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#once(url, call, url.origin === origin);
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
      if (redirects === MOST_REDIRECTS) {
        throw new AgentFailure('odd', `it redirects more than ${MOST_REDIRECTS} times`, CHECK_ADDRESS);
      }
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (next === undefined || !/^https?:$/.test(next.protocol)) {
        throw new AgentFailure('odd', 'it redirects to what is not an address', CHECK_ADDRESS);
      }
      if (protocol === 'https:' && next.protocol !== protocol) {
        throw new AgentFailure('odd', `it redirects from https to http, to ${next.host}`, CHECK_ADDRESS);
      }
      url = next;
    }
  }

  #once(url: URL, { post, most }: HttpCall, isNamed: boolean): Promise<HttpAnswer> {
    const { authorization, connectMs = CONNECT_MS, idleMs = IDLE_MS } = this.#options;
    const headers: Record<string, string> = { accept: 'application/json', 'accept-encoding': 'gzip' };
    if (isNamed && authorization !== undefined) headers.authorization = authorization;
    if (post !== undefined) {
      // Anything after the type is refused.
      headers['content-type'] = 'application/json';
      headers['content-length'] = String(Buffer.byteLength(post));
    }
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        request.destroy();
        reject(failedConnection(error, url));
      };
      const late = (ms: number, what: string) => () =>
        fail(new AgentFailure('unreachable', `${what} within ${ms / 1000}s`, CHECK_WAY));
      const { request: make } = url.protocol === 'https:' ? https : http;
      const request = make(url, {
        method: post === undefined ? 'GET' : 'POST',
        headers,
        agent: this.#agentOf(url.protocol, isNamed),
      });
      request.on('error', fail);
      request.on('socket', (socket) => {
        if (!socket.connecting) return;
        const timer = setTimeout(late(connectMs, 'there was no connection'), connectMs);
        const connected = url.protocol === 'https:' ? 'secureConnect' : 'connect';
        const stop = () => clearTimeout(timer);
        socket.once(connected, stop);
        request.once('close', stop);
      });
      request.setTimeout(idleMs, late(idleMs, 'nothing came'));
      const whole = setTimeout(late(WHOLE_MS, 'the answer did not come to its end'), WHOLE_MS);
      request.once('close', () => clearTimeout(whole));
      request.on('response', (response) => {
        bodyOf(response, most).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          fail,
        );
      });
      request.end(post);
    });
  }

  /** Our own certificate, too, is only for hosts that were named. */
  #agentOf(protocol: string, isNamed: boolean): http.Agent {
    const key = `${protocol} ${isNamed}`;
    let agent = this.#agents.get(key);
    if (agent !== undefined) return agent;
    const sockets = { keepAlive: true, maxTotalSockets: MOST_SOCKETS };
    if (protocol === 'https:') {
      const { ca, cert, key: ownKey, insecure } = this.#options;
      const own = isNamed ? { cert, key: ownKey } : {};
      agent = new https.Agent({ ...sockets, ...own, ca, rejectUnauthorized: insecure !== true });
    } else agent = new http.Agent(sockets);
    this.#agents.set(key, agent);
    return agent;
  }
}

const CHECK_ADDRESS = 'is it the address of an agent? Agents listen on port 5051';
const CHECK_WAY = 'see whether the agent runs, and whether a firewall is in between';

/** Rejects with AgentFailure for a body that is longer than `most`, also when it is unpacked. */
async function bodyOf(response: http.IncomingMessage, most: number): Promise<Buffer> {
  const packed = response.headers['content-encoding'] === 'gzip';
  const body = await partsOf(response, most);
  if (!packed || body.length === 0) return body;
  try {
    if (body.length <= SMALL_BYTES) return gunzipSync(body, { maxOutputLength: most });
    const unpacked = createGunzip();
    unpacked.end(body);
    return await partsOf(unpacked, most);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(most);
    if (error instanceof AgentFailure) throw error;
    throw new AgentFailure('odd', 'its answer cannot be unpacked');
  }
}

async function partsOf(stream: AsyncIterable<Buffer>, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream) {
    length += part.length;
    if (length > most) throw tooLong(most);
    parts.push(part);
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length);
}

function tooLong(most: number): AgentFailure {
  return new AgentFailure('odd', `its answer is longer than ${size(most)}`);
}
