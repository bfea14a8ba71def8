import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentClient, httpClient } from '../../src/agent/client.js';
import { AgentTasks } from '../../src/agent/gatherer.js';
import type { HttpOptions } from '../../src/agent/http.js';
import type { TaskView } from '../../src/task/view.js';
import type { Agent, Call } from './agent.js';
import { makeFleet, startProcess, streamOf } from './fleet.js';
import { startCluster } from './serve.js';

const MIB = 1 << 20;

let workDir: string;
const closes: (() => unknown)[] = [];
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'fleet-'));
});
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
  rmSync(workDir, { recursive: true, force: true });
});

function clientsOf(urls: readonly string[], options: HttpOptions = {}): AgentClient[] {
  const http = httpClient(options);
  closes.push(() => http.close());
  return urls.map((url) => new AgentClient(url, http, Date.now));
}

async function startFleet(
  agents: number,
  tasks: number,
): Promise<{ agents: readonly Agent[]; urls: string[] }> {
  const cluster = await startCluster(makeFleet(workDir, agents, tasks));
  closes.push(cluster.close);
  return { agents: cluster.agents, urls: cluster.agents.map(cluster.urlOf) };
}

async function look(agents: AgentTasks): Promise<{ views: TaskView[]; problems: string[] }> {
  const { selected, problems } = await agents.find([], 'look');
  const views: TaskView[] = [];
  for await (const view of agents.views(selected)) views.push(view);
  return {
    views,
    problems: [...problems, ...views.flatMap((view) => view.problems)].map(({ code, message }) => {
      return `${code}: ${message.replace(/^cannot read the agent \S+: /, '')}`;
    }),
  };
}

async function listenOn(server: Server | ReturnType<typeof createSocketServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  closes.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return listenOn(server);
}

async function serveSocket(listener: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    listener(socket);
  });
  closes.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return listenOn(server);
}

describe('a fleet of which some parts fail', () => {
  test('every tenth call is cut, and another tenth gets 503: nothing is missing', async () => {
    const { agents, urls } = await startFleet(8, 6);
    const seen = new Set<string>();
    const failsOnce = (agent: Agent, call: Call, turn: number) => {
      const key = `${agent.id} ${call.endpoint} ${call.query.get('path')} ${turn}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return seen.size % 10 === turn;
    };
    for (const agent of agents) {
      agent.knobs.cutAfter = (call) => (failsOnce(agent, call, 1) ? 5 : undefined);
      agent.knobs.instead = (call) =>
        failsOnce(agent, call, 2) ? { status: 503, headers: {}, body: 'later' } : undefined;
    }
    const { views, problems } = await look(new AgentTasks(clientsOf(urls), Date.now));
    expect(problems).toEqual([]);
    expect(views).toHaveLength(48);
    expect(new Set(views.map(({ state, verdict }) => `${state} ${verdict}`))).toEqual(new Set(['ACTIVE ok']));
    expect(seen.size).toBeGreaterThan(200);
  });

  test('agents that hang, drip, never end, or say nonsense cost a line each, and bounded time and memory', async () => {
    const { urls } = await startFleet(3, 4);
    let written = 0;
    const flood = (head: string) =>
      serveSocket((socket) => {
        const block = Buffer.alloc(MIB, ' ');
        const more = () => {
          while (!socket.destroyed && socket.write(block)) written += block.length;
          socket.once('drain', more);
        };
        socket.once('data', () => {
          socket.write(head);
          more();
        });
      });
    const bomb = gzipSync(Buffer.alloc(200 * MIB));
    const bad = {
      hangs: await serve(() => {}),
      drips: await serve((_, response) => {
        response.write('{');
        const timer = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(timer));
      }),
      dripsHead: await serveSocket((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nA: ');
        const timer = setInterval(() => socket.write('a'), 50);
        socket.on('close', () => clearInterval(timer));
      }),
      endless: await flood('HTTP/1.1 200 OK\r\n\r\n'),
      endlessHead: await flood('HTTP/1.1 200 OK\r\nA: '),
      huge: await flood(`HTTP/1.1 200 OK\r\nContent-Length: ${2048 * MIB}\r\n\r\n`),
      bomb: await serve((_, response) => {
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bomb);
      }),
      garbage: await serveSocket((socket) => socket.once('data', () => socket.end(Buffer.alloc(5000, 0xa5)))),
      html: await serve((_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>');
      }),
      loop: await serve((request, response) => {
        response.writeHead(302, { Location: `${request.url}1` }).end();
      }),
    };
    const clients = clientsOf([...Object.values(bad), ...urls], { connectMs: 2000, idleMs: 2000 });
    const { views, problems } = await look(new AgentTasks(clients, Date.now));
    expect(views.map(({ state }) => state)).toEqual(Array.from({ length: 12 }, () => 'ACTIVE'));
    expect(problems).toEqual([
      'agent-unreachable: nothing came within 2s',
      'agent-unreachable: hardly anything came within 2s',
      'agent-unreachable: hardly anything came within 2s',
      'agent-answer-odd: its answer is longer than 64MiB',
      'agent-unreachable: its answer is not HTTP',
      'agent-answer-odd: its answer is longer than 64MiB',
      'agent-answer-odd: its answer is longer than 64MiB',
      'agent-unreachable: its answer is not HTTP',
      'agent-answer-odd: its answer is not JSON, but text/html',
      'agent-answer-odd: it redirects more than 5 times',
    ]);
    // What was on its way when the connection was closed belongs to nobody.
    expect(written).toBeLessThan(120 * MIB);
  });

  test('an agent that stops to answer after its state is told once, for all its tasks', async () => {
    const { agents, urls } = await startFleet(2, 5);
    const [broken] = agents as [Agent];
    broken.knobs.cutAfter = ({ endpoint }) => (endpoint === '/state' ? undefined : 0);
    const { views, problems } = await look(new AgentTasks(clientsOf(urls), Date.now));
    expect(views.filter(({ state }) => state === 'ACTIVE')).toHaveLength(5);
    expect(problems.filter((problem) => problem.startsWith('agent-'))).toEqual([
      'agent-unreachable: the connection broke',
    ]);
  });
});

test('a look again costs one call for an active task of which nothing changed, and finds what did', async () => {
  const { agents, urls } = await startFleet(2, 3);
  const tasks = new AgentTasks(clientsOf(urls), Date.now);
  tasks.board();
  const endpoints = () => agents.flatMap(({ calls }) => calls.splice(0).map(({ endpoint }) => endpoint));
  const first = (await look(tasks)).views;
  expect(endpoints()).toHaveLength(2 + 6 * 4);
  // A closer look from time to time lists the phase of each, too.
  for (let again = 0; again < 35; again++) {
    expect((await look(tasks)).views.every((view, i) => view === first[i])).toBe(true);
    expect(endpoints().length).toBeLessThanOrEqual(2 + 6 * 2);
  }
  endpoints();
  startProcess(streamOf(workDir, 'S1', 'role-prod-web-4'));
  const changed = (await look(tasks)).views;
  // Its phase is listed, and what was appended is read.
  expect(endpoints().length).toBeGreaterThanOrEqual(2 + 6 + 2);
  expect(changed.filter((view, i) => view !== first[i]).map(({ task_id }) => task_id)).toEqual([
    'role-prod-web-4',
  ]);
  expect(changed[4]?.processes).toMatchObject([{ process: 'p', state: 'FORKED' }]);
});

describe('connections', () => {
  test('are kept, and one that the other side closed meanwhile is replaced at once', async () => {
    const calls: number[] = [];
    const url = await serveSocket((socket) => {
      const own = calls.push(0) - 1;
      socket.on('data', () => {
        calls[own] = (calls[own] ?? 0) + 1;
        if (calls[own] === 4) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    const http = httpClient({});
    closes.push(() => http.close());
    for (let i = 0; i < 5; i++) {
      expect((await http.ask({ base: url, path: '/', most: 10 })).body.toString()).toBe('{}');
    }
    expect(calls).toEqual([4, 2]);
  });

  test('of calls that are not over when the client is closed fail', async () => {
    const http = httpClient({});
    const url = await serve(() => http.close());
    await expect(http.ask({ base: url, path: '/', most: 10 })).rejects.toMatchObject({ kind: 'unreachable' });
  });

  test('whatever pieces a server sends, the body is the same', async () => {
    let parts: readonly Buffer[] = [];
    let headers: Record<string, string> = {};
    const url = await serve(async (_, response) => {
      response.writeHead(200, headers);
      response.flushHeaders();
      for (const part of parts) {
        response.write(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    const http = httpClient({});
    closes.push(() => http.close());
    const bodies = fc.array(
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom('chunked', 'length', 'close', 'gzip'), async (body, way) => {
        const whole = Buffer.concat(body);
        const sent = way === 'gzip' ? gzipSync(whole) : whole;
        parts = way === 'gzip' ? [sent.subarray(0, 7), sent.subarray(7)] : body;
        headers =
          way === 'length'
            ? { 'Content-Length': String(whole.length) }
            : way === 'gzip'
              ? { 'Content-Encoding': 'gzip' }
              : way === 'close'
                ? { Connection: 'close' }
                : {};
        const answer = await http.ask({ base: url, path: '/', most: 100_000 });
        expect(answer.status).toBe(200);
        expect(answer.body.equals(whole)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
