import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Agent, type AgentOptions, type Call } from './agent.js';
import { type Answer, failure, queryOf } from './answer.js';
import { bufferOf, bytesOf, isBefore } from './bytes.js';
import { Master } from './master.js';

/** From this size on a body is sent compressed to who accepts that, unless it is a file. */
const GZIP_BYTES = 1024;

export interface Cluster {
  master: Master;
  /** In the order in which they were given. */
  agents: readonly Agent[];
  /** Of the master, without a slash at its end. */
  url: string;
  /** Of an agent: its own address. */
  urlOf: (agent: Agent) => string;
  /** Of an agent through the master's port, as the proxy of DC/OS names it. */
  proxiedUrlOf: (agent: Agent) => string;
  close: () => Promise<void>;
}

/**
 * A master and agents on this machine, each on a port of its own. Agents share the master's port alone if there are too
 * many of them for that (`sharePort`): then only their proxied addresses lead to them.
 */
export async function startCluster(
  options: readonly AgentOptions[],
  {
    sharePort = false,
    masterVersion = '1.11.0',
    tls,
  }: { sharePort?: boolean; masterVersion?: string; tls?: ServerOptions } = {},
): Promise<Cluster> {
  const agents = options.map((each) => new Agent(each));
  const master = new Master(agents, { version: masterVersion });
  const servers: Server[] = [];
  const proxied = new Map(agents.map((agent) => [agent.id, agent]));
  servers.push(await listen(master, proxied, tls));
  if (!sharePort) for (const agent of agents) servers.push(await listen(agent, new Map(), tls));
  const scheme = tls === undefined ? 'http' : 'https';
  const url = `${scheme}://127.0.0.1:${master.address.port}`;
  return {
    master,
    agents,
    url,
    urlOf: (agent) => `${scheme}://127.0.0.1:${agent.address.port}`,
    proxiedUrlOf: (agent) => `${url}/agent/${agent.id}`,
    close: () => close(servers),
  };
}

/** Another master on a port of its own, of the same agents. */
export async function startMaster(
  agents: readonly Agent[],
  options: { version?: string } = {},
): Promise<{ master: Master; place: string; url: string; close: () => Promise<void> }> {
  const master = new Master(agents, options);
  const server = await listen(master, new Map(), undefined);
  const place = `127.0.0.1:${master.address.port}`;
  return { master, place, url: `http://${place}`, close: () => close([server]) };
}

async function listen(
  answerer: Agent | Master,
  proxied: ReadonlyMap<string, Agent>,
  tls: ServerOptions | undefined,
): Promise<Server> {
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void respond(answerer, proxied, request, response);
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  answerer.address = { ip: '127.0.0.1', port: (server.address() as AddressInfo).port };
  return server;
}

async function close(servers: readonly Server[]): Promise<void> {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
}

/** One agent on a port of its own. */
export async function startAgent(
  options: AgentOptions,
): Promise<{ agent: Agent; url: string; close: () => Promise<void> }> {
  const cluster = await startCluster([options]);
  const agent = cluster.agents[0] as Agent;
  return { agent, url: cluster.urlOf(agent), close: cluster.close };
}

async function respond(
  direct: Agent | Master,
  proxied: ReadonlyMap<string, Agent>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Who went away does not want the rest.
  response.on('error', () => {});
  const [address = '', search = ''] = (request.url ?? '').split(/\?(.*)/s);
  const [, id, rest] = /^\/(?:agent|slave)\/([^/]+)(\/.*)$/.exec(address) ?? [];
  const answerer = id === undefined ? direct : proxied.get(id);
  try {
    const { answer, cutAfter } = await answerOf(answerer, rest ?? address, search, request);
    send(request, response, answer, cutAfter);
  } catch (error) {
    // Such as a file that went away in the middle of the call.
    if (response.headersSent) response.destroy();
    else send(request, response, failure(500, bytesOf(String(error))));
  }
}

async function answerOf(
  answerer: Agent | Master | undefined,
  address: string,
  search: string,
  request: IncomingMessage,
): Promise<{ answer: Answer; cutAfter?: number | undefined }> {
  const { headers } = request;
  const path = address.replace(/^\/slave\(1\)(?=\/)/, '');
  if (answerer === undefined || !isName(path, answerer.version)) return { answer: failure(404) };
  const query = queryOf(search);
  if (query === undefined) return { answer: failure(400) };
  const { authorization, 'content-type': contentType } = headers;
  const call: Call = { endpoint: path.replace(/\.json$/, ''), query, authorization, contentType };
  if (request.method === 'POST') call.body = await textOf(request);
  answerer.calls.push(call);
  if (answerer instanceof Master) return { answer: answerer.answer(call) };
  const { latencyMs, cutAfter } = answerer.knobs;
  if (latencyMs > 0) await sleep(latencyMs);
  await answerer.knobs.waits(call);
  const answer = answerer.answer(call);
  answerer.knobs.meanwhile(call);
  const { aheadMs } = answerer.knobs;
  const date = { Date: new Date(Date.now() + aheadMs).toUTCString() };
  return {
    answer: aheadMs === 0 ? answer : { ...answer, headers: { ...date, ...answer.headers } },
    cutAfter: cutAfter(call),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/**
 * Whether a version knows the name of an endpoint: `.json` was the only form up to 0.24, and is gone since 1.8; what is
 * not JSON never had it.
 */
function isName(path: string, version: string): boolean {
  if (path.endsWith('/redirect')) return true;
  return path.endsWith('.json') ? isBefore(version, '1.8.0') : !isBefore(version, '0.25.0');
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
  cutAfter = Number.POSITIVE_INFINITY,
): void {
  if (typeof body !== 'string') {
    response.writeHead(status, { ...headers, 'Content-Length': body.bytes });
    const end = Math.min(body.bytes, cutAfter);
    if (end === 0) {
      finish(response, body.bytes === 0);
      return;
    }
    const file = createReadStream(body.path, { end: end - 1 });
    file.on('error', () => response.destroy());
    file.on('end', () => finish(response, file.bytesRead === body.bytes));
    response.on('close', () => file.destroy());
    file.pipe(response, { end: false });
    return;
  }
  let content = bufferOf(body);
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const compress = content.length >= GZIP_BYTES && /\bgzip\b/.test(accepted);
  if (compress) content = gzipSync(content);
  response.writeHead(status, {
    ...headers,
    ...(compress ? { 'Content-Encoding': 'gzip' } : {}),
    'Content-Length': content.length,
  });
  response.write(content.subarray(0, cutAfter), () => finish(response, cutAfter >= content.length));
}

/** Breaks the connection if the answer is not complete. */
function finish(response: ServerResponse, isComplete: boolean): void {
  if (isComplete) response.end();
  else response.destroy();
}
