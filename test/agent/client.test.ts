import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentClient, httpClient } from '../../src/agent/client.js';
import { AgentFailure } from '../../src/agent/failure.js';
import type { HttpOptions } from '../../src/agent/http.js';
import type { Agent, AgentOptions, Call } from './agent.js';
import { type Authority, makeAuthority } from './certificates.js';
import { startCluster } from './serve.js';

const SECRET = 'never-shown';
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

let directory: string;
const closes: (() => unknown)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'client-'));
  writeFileSync(join(directory, 'bytes'), EVERY_BYTE);
});
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});

function clientOf(url: string, options: HttpOptions = {}): AgentClient {
  const http = httpClient(options);
  closes.push(() => http.close());
  return new AgentClient(url, http, Date.now);
}

/** An agent whose only sandbox is the directory, under the name `/sandbox`. */
async function start(
  options: Partial<AgentOptions> = {},
  cluster: Parameters<typeof startCluster>[1] = {},
): Promise<{ agent: Agent; url: string }> {
  const started = await startCluster([{ id: 'S0', ...options }], cluster);
  closes.push(started.close);
  const agent = started.agents[0] as Agent;
  agent.files.attach(directory, '/sandbox');
  return { agent, url: started.urlOf(agent) };
}

/** A server of another kind. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  closes.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => 'it worked',
    ({ kind, message }) => `${kind}: ${message}`,
  );

const endpoints = (agent: Agent) => agent.calls.map(({ endpoint }) => endpoint);

describe('bytes come as they are', () => {
  test.each([
    ['0.20.0', '/files/read'],
    ['0.24.0', '/files/read'],
    ['1.0.0', '/files/read'],
    ['1.1.0', '/api/v1'],
    ['1.11.0', '/api/v1'],
  ])('from Mesos %s, by %s', async (version, endpoint) => {
    const { agent, url } = await start({ version });
    const client = clientOf(url);
    await client.state();
    agent.calls.splice(0);
    expect(await client.read('/sandbox/bytes', 0, 1000)).toEqual(EVERY_BYTE);
    expect(await client.read('/sandbox/bytes', 250, 3)).toEqual(EVERY_BYTE.subarray(250, 253));
    expect(await client.read('/sandbox/bytes', 256, 3)).toHaveLength(0);
    expect(new Set(endpoints(agent))).toEqual(new Set([endpoint]));
  });

  test('from an agent that allows only the older way, which is found out once', async () => {
    const { agent, url } = await start();
    agent.knobs.credentials = { principal: 'p', secret: 's' };
    agent.knobs.asksIn = 'readwrite';
    const client = clientOf(url);
    await client.state();
    expect(await client.read('/sandbox/bytes', 0, 1000)).toEqual(EVERY_BYTE);
    expect(await client.read('/sandbox/bytes', 0, 1000)).toEqual(EVERY_BYTE);
    expect(endpoints(agent)).toEqual(['/state', '/api/v1', '/files/read', '/files/read']);
  });

  test.each(['0.20.0', '1.0.0', '1.11.0'])('all at once, from Mesos %s', async (version) => {
    const { agent, url } = await start({ version });
    const client = clientOf(url);
    await client.state();
    agent.calls.splice(0);
    expect(await client.whole('/sandbox/bytes')).toEqual(EVERY_BYTE);
    expect(endpoints(agent)).toEqual(['/files/download']);
    expect(await failed(client.whole('/sandbox/no'))).toMatch(/^absent/);
    writeFileSync(join(directory, 'longer'), Buffer.alloc(3 << 20));
    expect(await client.whole('/sandbox/longer')).toBe(undefined);
  });

  test('in pieces of at most 64 KiB', async () => {
    const { url } = await start();
    writeFileSync(join(directory, 'long'), Buffer.alloc(200_000, 'x'));
    const client = clientOf(url);
    await client.state();
    expect(await client.read('/sandbox/long', 0, 200_000)).toHaveLength(65_536);
  });
});

describe('a path', () => {
  test('that is not there is absent, and one that is forbidden is not', async () => {
    const { agent, url } = await start();
    agent.knobs.forbids = (path) => path.endsWith('bytes');
    const client = clientOf(url);
    await client.state();
    expect(await failed(client.read('/sandbox/no', 0, 1))).toMatch(/^absent/);
    expect(await failed(client.list('/sandbox/no'))).toMatch(/^absent/);
    expect(await failed(client.read('/sandbox/bytes', 0, 1))).toMatch(/^forbidden/);
    // The agent itself answers.
    expect((await client.list('/sandbox')).entries.map(({ name }) => name)).toEqual(['bytes']);
  });
});

describe('what goes wrong on the way', () => {
  test('answers that are cut, and those of a proxy without the agent, are asked for again', async () => {
    const { agent, url } = await start();
    const counts = new Map<string, number>();
    const isFirst = (call: Call) => {
      const count = (counts.get(call.endpoint) ?? 0) + 1;
      counts.set(call.endpoint, count);
      return count === 1;
    };
    agent.knobs.cutAfter = (call) => (call.endpoint === '/state' && isFirst(call) ? 10 : undefined);
    agent.knobs.instead = (call) =>
      call.endpoint === '/files/browse' && isFirst(call) ? { status: 502, headers: {}, body: '' } : undefined;
    const client = clientOf(url);
    expect((await client.state()).state.id).toBe('S0');
    expect((await client.list('/sandbox')).entries).toHaveLength(1);
    expect(endpoints(agent)).toEqual(['/state', '/state', '/files/browse', '/files/browse']);
  });

  test('three times is enough, and then nothing more is asked until the next look', async () => {
    const { agent, url } = await start();
    const client = clientOf(url);
    await client.state();
    agent.knobs.cutAfter = () => 0;
    expect(await failed(client.list('/sandbox'))).toBe('unreachable: the connection broke');
    expect(endpoints(agent)).toHaveLength(4);
    expect(await failed(client.list('/sandbox'))).toBe('unreachable: the connection broke');
    expect(endpoints(agent)).toHaveLength(4);
    agent.knobs.cutAfter = () => undefined;
    await client.state();
    expect((await client.list('/sandbox')).entries).toHaveLength(1);
  });

  test('an agent that recovers', async () => {
    const { agent, url } = await start();
    agent.knobs.isRecovering = true;
    expect(await failed(clientOf(url).state())).toBe('recovering: it has not recovered yet');
  });

  test.each([
    [400, 'odd: it answers with status 400'],
    [403, 'forbidden: it forbids its state'],
    [404, 'odd: it does not answer as an agent'],
    [500, 'odd: it answers with status 500'],
  ])('a server that answers %d to every call', async (status, message) => {
    const url = await serve((_, response) => void response.writeHead(status).end());
    const error = await clientOf(url)
      .state()
      .catch((thrown) => thrown);
    expect(`${error.kind}: ${error.message}`).toBe(message);
    expect(error.hint).toBeTruthy();
  });

  test('an agent that only a scheduler has named says how it learns who asks', async () => {
    const { agent, url } = await start();
    agent.knobs.credentials = { principal: 'me', secret: SECRET };
    const http = httpClient({});
    closes.push(() => http.close());
    await expect(new AgentClient(url, http, Date.now, 'name its master').state()).rejects.toMatchObject({
      hint: 'name its master',
    });
  });

  test('an agent that does not answer, and one that begins to', async () => {
    const { agent, url } = await start();
    agent.knobs.latencyMs = 60_000;
    expect(await failed(clientOf(url, { idleMs: 50 }).state())).toBe(
      'unreachable: nothing came within 0.05s',
    );
    const endless = await serve((_, response) => void response.write('{"a":'));
    expect(await failed(clientOf(endless, { idleMs: 50 }).state())).toMatch(/^unreachable: nothing came/);
  });

  test('nobody listens, or there is no such host', async () => {
    expect(await failed(clientOf('http://127.0.0.1:1').state())).toBe(
      'unreachable: nothing listens on port 1 of 127.0.0.1',
    );
    expect(await failed(clientOf('http://agent.invalid:5051').state())).toMatch(
      /^unreachable: (?:there is no host agent\.invalid|the name agent\.invalid cannot be looked up now)$/,
    );
  });
});

describe('what is not an agent', () => {
  test.each([
    ['HTML', 'text/html', '<html>', /^odd: its answer is not JSON, but text\/html/],
    ['JSON of something else', 'application/json', '{"a":1}', /^odd: its answer is not the state/],
    ['a list', 'application/json', '[]', /^odd: its answer is not the state/],
    ['null', 'application/json', 'null', /^odd: its answer is not the state/],
    ['nothing', 'text/plain', '', /^odd: its answer is not JSON, but text\/plain/],
    ['deep JSON', 'application/json', '['.repeat(200_000), /^odd: its answer is not JSON/],
  ])('%s', async (_, type, body, expected) => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'Content-Type': type });
      response.end(body);
    });
    expect(await failed(clientOf(url).state())).toMatch(expected);
  });

  test('a master', async () => {
    const { master, url, close } = await startCluster([{ id: 'S0' }]);
    closes.push(close);
    expect(master.agents).toHaveLength(1);
    expect(await failed(clientOf(url).state())).toBe('odd: it is a master, not an agent');
  });

  test('any JSON in place of a listing, a piece or a state is an answer or a failure of the agent', async () => {
    let body = '';
    const url = await serve((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(body);
    });
    const client = clientOf(url);
    const fields = fc.constantFrom('read_file', 'data', 'frameworks', 'executors', 'path', 'size', 'offset');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(null, true, 0, -1, 1e300, '', '/sandbox/bytes', [], {}),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fields, tie('value'), { maxKeys: 3 }),
      ),
    }));
    const property = fc.asyncProperty(value, async (json) => {
      body = JSON.stringify({ version: '1.11.0', frameworks: [] });
      await client.state();
      body = JSON.stringify(json);
      for (const call of [
        () => client.read('/sandbox/bytes', 0, 10),
        () => client.list('/sandbox'),
        () => client.state(),
      ]) {
        const error = await call().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error !== undefined) expect(error).toBeInstanceOf(AgentFailure);
      }
    });
    await fc.assert(property, { numRuns: 150, examples: [[null], [{ read_file: null }]] });
  });

  test('what does not speak HTTP', async () => {
    const sockets = new Set<Socket>();
    const server = createSocket((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.end('SSH-2.0-OpenSSH_9.2p1\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closes.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo;
    expect(await failed(clientOf(`http://127.0.0.1:${port}`).state())).toBe(
      'unreachable: its answer is not HTTP',
    );
    expect(await failed(clientOf(`https://127.0.0.1:${port}`).state())).toBe(
      'unreachable: it does not speak TLS',
    );
  });

  test('an answer that never ends is given up at its bound, packed or not', async () => {
    const block = Buffer.alloc(1 << 20, ' ');
    const url = await serve((_, response) => {
      const more = () => {
        while (response.writable && response.write(block));
        response.once('drain', more);
      };
      more();
    });
    expect(await failed(clientOf(url).state())).toBe('odd: its answer is longer than 64MiB');
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(Buffer.alloc(80 << 20));
    const packed = await serve((_, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      response.end(bomb);
    });
    expect(await failed(clientOf(packed).state())).toBe('odd: its answer is longer than 64MiB');
    const broken = await serve((_, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      response.end('no gzip');
    });
    expect(await failed(clientOf(broken).state())).toBe('odd: its answer cannot be unpacked');
  });
});

describe('a file that changes while it is sent', () => {
  /** What comes of it if this happens to it once, in the middle of the first call. */
  async function wholeOf(change: (path: string) => void): Promise<string> {
    const { agent, url } = await start();
    const path = join(directory, 'log');
    writeFileSync(path, 'a'.repeat(20_000));
    const client = clientOf(url);
    await client.state();
    let isChanged = false;
    agent.knobs.meanwhile = ({ endpoint }) => {
      if (endpoint !== '/files/download' || isChanged) return;
      isChanged = true;
      change(path);
    };
    const whole = await client.whole('/sandbox/log').catch(({ kind }) => kind);
    return typeof whole === 'string' ? whole : String(whole);
  }

  test('and grows comes as it was', async () => {
    expect(await wholeOf((path) => appendFileSync(path, 'b'))).toBe('a'.repeat(20_000));
  });

  test('and shrinks is asked for again', async () => {
    expect(await wholeOf((path) => truncateSync(path, 7))).toBe('a'.repeat(7));
  });

  test('and vanishes is absent', async () => {
    expect(await wholeOf((path) => rmSync(path))).toBe('absent');
  });
});

describe('redirects', () => {
  test('are followed, also without a scheme', async () => {
    const { url } = await start();
    const from = await serve((request, response) => {
      response.writeHead(307, { Location: `${url.replace('http:', '')}${request.url}` });
      response.end();
    });
    expect((await clientOf(from).state()).state.id).toBe('S0');
  });

  test('that never end, or lead nowhere, are an error', async () => {
    const loop = await serve((_, response) => {
      response.writeHead(302, { Location: '/state' });
      response.end();
    });
    expect(await failed(clientOf(loop).state())).toBe('odd: it redirects more than 5 times');
    for (const location of ['file:///etc/passwd', 'http://[', 'javascript:0']) {
      const url = await serve((_, response) => {
        response.writeHead(302, { Location: location });
        response.end();
      });
      expect(await failed(clientOf(url).state())).toBe(
        'odd: it redirects to something that is not an address',
      );
    }
  });

  test('are named where they lead to what is no agent, or to one that asks who one is', async () => {
    const { agent, url } = await start();
    const from = await serve((request, response) => {
      response.writeHead(301, { Location: `${url}/prefix${request.url}?token=${SECRET}` });
      response.end();
    });
    const there = `it redirects to ${url}/prefix, and there: `;
    agent.knobs.instead = () => ({ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' });
    expect(await failed(clientOf(from).state())).toBe(`odd: ${there}its answer is not JSON, but text/html`);
    agent.knobs.instead = () => undefined;
    agent.knobs.credentials = { principal: 'me', secret: SECRET };
    const unauthorized = await clientOf(from, { authorization: 'Basic x' })
      .state()
      .catch((error) => error);
    expect(unauthorized).toMatchObject({
      kind: 'unauthorized',
      message: `${there}it asks for credentials (realm mesos-agent-readonly)`,
      hint: `only who is named learns who you are: name ${url}/prefix`,
    });
    const away = await serve((request, response) => {
      response.writeHead(301, { Location: `http://127.0.0.1:1${request.url}` });
      response.end();
    });
    expect(await failed(clientOf(away).state())).toBe(
      'unreachable: it redirects to http://127.0.0.1:1, and there: nothing listens on port 1 of 127.0.0.1',
    );
  });

  test('take no secret to another host', async () => {
    const { agent, url } = await start();
    const { authorization } = { authorization: `Basic ${SECRET}` };
    const from = await serve((request, response) => {
      expect(request.headers.authorization).toBe(authorization);
      response.writeHead(307, { Location: `${url}${request.url}` });
      response.end();
    });
    await clientOf(from, { authorization }).state();
    expect(agent.calls.map((call) => call.authorization)).toEqual([undefined]);
    agent.calls.splice(0);
    await clientOf(url, { authorization }).state();
    expect(agent.calls.map((call) => call.authorization)).toEqual([authorization]);
  });
});

test('an agent that asks who one is', async () => {
  const { agent, url } = await start();
  agent.knobs.credentials = { principal: 'me', secret: SECRET };
  expect(await failed(clientOf(url).state())).toBe(
    'unauthorized: it asks for credentials (realm mesos-agent-readonly)',
  );
  const authorization = `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`;
  expect((await clientOf(url, { authorization }).state()).state.id).toBe('S0');
  const wrong = await failed(clientOf(url, { authorization: `Basic ${SECRET}` }).state());
  expect(wrong).toMatch(/^unauthorized/);
  expect(wrong).not.toContain(SECRET);
});

test('the clock of an agent is known by its answers', async () => {
  const { agent, url } = await start();
  agent.knobs.aheadMs = 3_600_000;
  const { aheadMs = 0 } = await clientOf(url).state();
  expect(Math.abs(aheadMs - 3_600_000)).toBeLessThan(60_000);
});

describe('TLS', () => {
  let authority: Authority;
  beforeEach(() => {
    authority = makeAuthority();
  });
  const startSecure = async (certificate: { cert: string; key: string }, ca?: string) =>
    start({}, { tls: { ...certificate, ...(ca === undefined ? {} : { ca, requestCert: true }) } });

  test('an authority of our own is known by --ca', async () => {
    const { url } = await startSecure(authority.certify('127.0.0.1'));
    expect(await failed(clientOf(url).state())).toBe(
      'unreachable: its certificate is not signed by a known authority',
    );
    const ca = Buffer.from(authority.cert);
    expect((await clientOf(url, { ca }).state()).state.id).toBe('S0');
    expect((await clientOf(url, { insecure: true }).state()).state.id).toBe('S0');
    expect(await failed(clientOf(url, { ca: Buffer.from(makeAuthority().cert) }).state())).toMatch(
      /^unreachable: its certificate/,
    );
  });

  test('a certificate of another name, an expired one, and one of the future are refused', async () => {
    const ca = Buffer.from(authority.cert);
    const other = await startSecure(authority.certify('agent.example.com'));
    expect(await failed(clientOf(other.url, { ca }).state())).toBe(
      'unreachable: its certificate is not one of 127.0.0.1',
    );
    const day = 86_400_000;
    const now = Date.now();
    const old = [new Date(now - 2 * day), new Date(now - day)] as const;
    const expired = await startSecure(authority.certify('127.0.0.1', old));
    expect(await failed(clientOf(expired.url, { ca }).state())).toBe(
      'unreachable: its certificate has expired',
    );
    const soon = [new Date(now + day), new Date(now + 2 * day)] as const;
    const early = await startSecure(authority.certify('127.0.0.1', soon));
    expect(await failed(clientOf(early.url, { ca }).state())).toBe(
      'unreachable: its certificate is not valid yet',
    );
  });

  test('http to a port that speaks TLS, and https to one that does not', async () => {
    const { url } = await startSecure(authority.certify('127.0.0.1'));
    const plain = clientOf(url.replace('https:', 'http:'));
    const error = await plain.state().catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: 'unreachable', hint: expect.stringContaining(url) });
    const { url: open } = await start();
    const secure = clientOf(open.replace('http:', 'https:'));
    expect(await failed(secure.state())).toBe('unreachable: it does not speak TLS');
  });

  test('an agent may ask for a certificate of ours', async () => {
    const { url } = await startSecure(authority.certify('127.0.0.1'), authority.cert);
    const ca = Buffer.from(authority.cert);
    expect(await failed(clientOf(url, { ca }).state())).toMatch(/^unauthorized: it accepts only clients/);
    const { cert, key } = authority.certify('me');
    const own = { cert: Buffer.from(cert), key: Buffer.from(key) };
    expect((await clientOf(url, { ca, ...own }).state()).state.id).toBe('S0');
  });

  test('no redirect leads from https to http', async () => {
    const { agent, url } = await startSecure(authority.certify('127.0.0.1'));
    const { url: open } = await start();
    agent.knobs.instead = () => ({ status: 307, headers: { Location: `${open}/state` }, body: '' });
    expect(await failed(clientOf(url, { ca: Buffer.from(authority.cert) }).state())).toMatch(
      /^odd: it redirects from https to http/,
    );
  });
});
