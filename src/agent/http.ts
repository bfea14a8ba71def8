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
}

/** Where a call goes, as Node's HTTP takes it. */
interface Place {
  readonly url: URL;
  readonly hostname: string;
  readonly port: string;
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
  /** By the addresses of servers: to parse one takes as long as a tenth of a call. */
  readonly #places = new Map<string, Place>();

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
    const named = this.#placeOf(call.base);
    const { pathname } = named.url;
    let path = pathname === '/' ? call.path : `${pathname}${call.path}`;
    let place = named;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#once(place, path, call, place.url.origin === named.url.origin);
      const { location } = answer.headers;
      if (call.stays || !REDIRECTS.has(answer.status) || location === undefined) return answer;
      if (redirects === MOST_REDIRECTS) {
        throw new AgentFailure('odd', `it redirects more than ${MOST_REDIRECTS} times`, CHECK_ADDRESS);
      }
      const from = new URL(path, place.url);
      const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
      if (next === undefined || !/^https?:$/.test(next.protocol)) {
        throw new AgentFailure('odd', 'it redirects to what is not an address', CHECK_ADDRESS);
      }
      if (named.url.protocol === 'https:' && next.protocol !== named.url.protocol) {
        throw new AgentFailure('odd', `it redirects from https to http, to ${next.host}`, CHECK_ADDRESS);
      }
      place = placeAt(next);
      path = `${next.pathname}${next.search}`;
    }
  }

  #placeOf(base: string): Place {
    let place = this.#places.get(base);
    if (place === undefined) {
      place = placeAt(new URL(base));
      this.#places.set(base, place);
    }
    return place;
  }

  #once(
    { url, hostname, port }: Place,
    path: string,
    { post, most, packed }: HttpCall,
    isNamed: boolean,
  ): Promise<HttpAnswer> {
    const { authorization, connectMs = CONNECT_MS, idleMs = IDLE_MS } = this.#options;
    // As they are sent: Node checks them once, and not one by one.
    const headers = ['Host', url.host, 'Accept', 'application/json'];
    if (packed) headers.push('Accept-Encoding', 'gzip');
    if (isNamed && authorization !== undefined) headers.push('Authorization', authorization);
    if (post !== undefined) {
      // Anything after the type is refused.
      headers.push('Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(post)));
    }
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        clearTimeout(whole);
        request.destroy();
        reject(failedConnection(error, url));
      };
      const late = (ms: number, what: string) => () =>
        fail(new AgentFailure('unreachable', `${what} within ${ms / 1000}s`, CHECK_WAY));
      const { request: make } = url.protocol === 'https:' ? https : http;
      const request = make({
        hostname,
        port,
        path,
        method: post === undefined ? 'GET' : 'POST',
        headers,
        agent: this.#agentOf(url.protocol, isNamed),
      });
      const whole = setTimeout(late(WHOLE_MS, 'the answer did not come to its end'), WHOLE_MS);
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
      request.on('response', (response) => {
        const { statusCode: status = 0, headers } = response;
        const end = (body: Buffer) => {
          clearTimeout(whole);
          resolve({ status, headers, body });
        };
        bodyOf(response, most, end, fail);
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

/** Without the brackets of an IPv6 address. */
function placeAt(url: URL): Place {
  return { url, hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port };
}

const CHECK_ADDRESS = 'is the address right? Agents listen on port 5051, masters on 5050';
const CHECK_WAY = 'see whether it runs, and whether a firewall is in between';

/** One end of it comes: `fail` with AgentFailure for a body that is longer than `most`, also when it is unpacked. */
function bodyOf(
  response: http.IncomingMessage,
  most: number,
  end: (body: Buffer) => void,
  fail: (error: unknown) => void,
): void {
  const packed = response.headers['content-encoding'] === 'gzip';
  const parts: Buffer[] = [];
  let length = 0;
  response.on('data', (part: Buffer) => {
    length += part.length;
    if (length > most) fail(tooLong(most));
    else parts.push(part);
  });
  response.on('end', () => {
    const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length);
    if (!packed || length === 0) end(body);
    else unpacked(body, most).then(end, fail);
  });
  // One that is cut has no end.
  response.on('error', fail);
}

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

function tooLong(most: number): AgentFailure {
  return new AgentFailure('odd', `its answer is longer than ${size(most)}`);
}
