import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { get, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REPOSITORY } from '../e2e/harness.js';
import type { AgentOptions } from './agent.js';
import { agentsIn, sandboxesIn } from './sandboxes.js';
import { startAgent, startCluster } from './serve.js';

const MESOS = join(REPOSITORY, 'fixtures/mesos');
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

let directory: string;
const closes: (() => Promise<void>)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agent-'));
});
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

interface Response {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

function call(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    }).on('error', reject);
  });
}

/** JSON whose strings are bytes, as a client has to read it. */
async function bytesFrom(url: string) {
  return JSON.parse((await call(url)).body.toString('latin1'));
}

/** An agent whose only sandbox is the directory, under the name `/sandbox`. */
async function agentOf(options: Partial<AgentOptions> = {}) {
  const { agent, url: base, close } = await startAgent({ id: 'S0', ...options });
  closes.push(close);
  agent.files.attach(directory, '/sandbox');
  const url = (endpoint: string, fields: Record<string, string> = {}) =>
    `${base}${endpoint}?${new URLSearchParams(fields)}`;
  return { agent, url };
}

/** The type of each field, by its name; of a list its first entry. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}

const RESOURCES = { cpus: 'number', disk: 'number', mem: 'number', ports: 'string' };
const TASK = {
  id: 'string',
  name: 'string',
  framework_id: 'string',
  executor_id: 'string',
  slave_id: 'string',
  state: 'string',
  resources: RESOURCES,
  statuses: [{ state: 'string', timestamp: 'number' }],
};
const EXECUTOR = {
  id: 'string',
  name: 'string',
  source: 'string',
  container: 'string',
  directory: 'string',
  resources: RESOURCES,
  queued_tasks: [],
};

describe('what an agent says has the fields that Mesos 0.19 answered with, and those of later sources', () => {
  test('/state', async () => {
    const [id = ''] = agentsIn(MESOS).toReversed();
    const { agent, url } = await agentOf({ id, workDir: MESOS, sandboxes: sandboxesIn(MESOS, id) });
    const state = await bytesFrom(url('/state'));
    expect(shapeOf(state)).toMatchObject({
      id: 'string',
      pid: 'string',
      hostname: 'string',
      version: 'string',
      log_dir: 'string',
      start_time: 'number',
      attributes: {},
      resources: RESOURCES,
      flags: { work_dir: 'string', gc_delay: 'string', port: 'string', log_dir: 'string' },
      completed_frameworks: [],
      frameworks: [
        {
          id: 'string',
          name: 'string',
          user: 'string',
          checkpoint: 'boolean',
          failover_timeout: 'number',
          hostname: 'string',
          role: 'string',
          executors: [{ ...EXECUTOR, tasks: [TASK], completed_tasks: [] }],
          completed_executors: [{ ...EXECUTOR, tasks: [], completed_tasks: [TASK] }],
        },
      ],
    });
    expect(state.pid).toBe(`slave(1)@127.0.0.1:${agent.address.port}`);
    expect(await bytesFrom(url('/slave(1)/state'))).toEqual(state);
  });

  test('/monitor/statistics', async () => {
    const [id = ''] = agentsIn(MESOS).toReversed();
    const { url } = await agentOf({ id, sandboxes: sandboxesIn(MESOS, id) });
    const rows = await bytesFrom(url('/monitor/statistics'));
    expect(shapeOf(rows)).toEqual([
      {
        executor_id: 'string',
        executor_name: 'string',
        framework_id: 'string',
        source: 'string',
        statistics: {
          cpus_limit: 'number',
          mem_limit_bytes: 'number',
          mem_rss_bytes: 'number',
          timestamp: 'number',
        },
      },
    ]);
  });

  test('/containers and /metrics/snapshot, which agents have from 1.0 on', async () => {
    const [id = ''] = agentsIn(MESOS).toReversed();
    const options = { id, sandboxes: sandboxesIn(MESOS, id) };
    const { url } = await agentOf(options);
    const [row] = (await bytesFrom(url('/containers'))) as [Record<string, string>];
    expect(shapeOf(row)).toMatchObject({ container_id: 'string', executor_id: 'string', statistics: {} });
    expect(await bytesFrom(url('/containers', { container_id: row.container_id as string }))).toEqual([row]);
    expect(await bytesFrom(url('/containers', { container_id: 'other' }))).toEqual([]);
    expect(await bytesFrom(url('/metrics/snapshot'))).toMatchObject({ 'slave/executors_running': 1 });
    const old = await agentOf({ ...options, version: '0.28.0' });
    expect((await fetch(old.url('/containers'))).status).toBe(404);
  });

  test('LIST_FILES', async () => {
    const { url } = await agentOf();
    writeFileSync(join(directory, 'stdout'), 'hello');
    chmodSync(join(directory, 'stdout'), 0o645);
    const list = async (path: string) =>
      fetch(url('/api/v1'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ type: 'LIST_FILES', list_files: { path } }),
      });
    expect(await (await list('/sandbox')).json()).toMatchObject({
      type: 'LIST_FILES',
      list_files: { file_infos: [{ path: '/sandbox/stdout', mode: 0o100645, size: 5 }] },
    });
    expect((await list('/no')).status).toBe(404);
  });

  test('/files/browse', async () => {
    const { url } = await agentOf();
    mkdirSync(join(directory, 'logs'));
    writeFileSync(join(directory, 'stdout'), 'hello');
    chmodSync(join(directory, 'stdout'), 0o645);
    symlinkSync('nowhere', join(directory, 'dangling'));
    const entries = await bytesFrom(url('/files/browse', { path: '/sandbox/' }));
    expect(shapeOf(entries)).toEqual([
      {
        gid: 'string',
        mode: 'string',
        mtime: 'number',
        nlink: 'number',
        path: 'string',
        size: 'number',
        uid: 'string',
      },
    ]);
    expect(entries.map(({ path, mode }: Record<string, string>) => `${mode} ${path}`)).toEqual([
      'drwxr-xr-x /sandbox/logs',
      '-rw-r--r-x /sandbox/stdout',
    ]);
    expect(entries[1].size).toBe(5);
    expect(Number.isInteger(entries[1].mtime)).toBe(true);
  });

  test('/state and /slaves of a master', async () => {
    const cluster = await startCluster([{ id: 'S0' }]);
    closes.push(cluster.close);
    const { url, agents } = cluster;
    const [agent] = agents;
    const slave = {
      id: 'string',
      hostname: 'string',
      pid: 'string',
      attributes: {},
      registered_time: 'number',
      resources: RESOURCES,
    };
    const later = { ...slave, port: 'number', active: 'boolean', version: 'string' };
    expect(shapeOf(await bytesFrom(`${url}/master/state`))).toMatchObject({
      id: 'string',
      pid: 'string',
      leader: 'string',
      hostname: 'string',
      version: 'string',
      activated_slaves: 'number',
      frameworks: [],
      completed_frameworks: [],
      slaves: [slave],
    });
    const { slaves, recovered_slaves } = await bytesFrom(`${url}/slaves`);
    expect(shapeOf(slaves)).toMatchObject([later]);
    expect(recovered_slaves).toEqual([]);
    expect(slaves[0]).toMatchObject({ id: 'S0', pid: agent?.pid, port: agent?.address.port });
  });
});

describe('an agent serves its sandboxes', () => {
  test('running executors and completed ones, each under the names that it has', async () => {
    const [id = ''] = agentsIn(MESOS).toReversed();
    const workDir = '/var/lib/mesos';
    const { url: base, close } = await startAgent({
      id,
      workDir,
      sandboxes: sandboxesIn(MESOS, id, workDir),
    });
    closes.push(close);
    const [framework] = (await bytesFrom(`${base}/state`)).frameworks;
    expect(framework.executors.length).toBeGreaterThan(0);
    expect(framework.completed_executors.length).toBeGreaterThan(1);
    for (const { id: executorId, directory: path, container } of framework.executors) {
      expect(path).toBe(
        `${workDir}/slaves/${id}/frameworks/${framework.id}/executors/${executorId}/runs/${container}`,
      );
      const names = async (name: string) =>
        (await bytesFrom(`${base}/files/browse?path=${encodeURIComponent(name)}`)).map(
          ({ path }: { path: string }) => path.slice(name.length),
        );
      expect(await names(path)).toContain('/checkpoints');
      expect(await names(path.replace(container, 'latest'))).toEqual(await names(path));
      expect(await names(`/frameworks/${framework.id}/executors/${executorId}/runs/latest`)).toEqual(
        await names(path),
      );
      // What is above a sandbox is not served.
      expect(
        (await call(`${base}/files/browse?path=${encodeURIComponent(path.replace(`/${container}`, ''))}`))
          .status,
      ).toBe(404);
    }
    const debug = await bytesFrom(`${base}/files/debug`);
    expect(debug[framework.executors[0].directory]).toContain(MESOS);
  });

  test('an executor that ends is completed, and its files are there until they are collected', async () => {
    const sandbox = {
      frameworkId: 'F',
      executorId: 'thermos-www-prod-web-7-41fef02d-fcba-11e3-8b67-b6f6cc110ef2',
      containerId: 'c1',
      path: directory,
      directory: '/var/lib/mesos/slaves/S0/frameworks/F/executors/E/runs/c1',
      isRunning: true,
    };
    const { agent, url } = await agentOf({ sandboxes: [sandbox] });
    const executors = async () => (await bytesFrom(url('/state'))).frameworks[0];
    const browse = async () => (await call(url('/files/browse', { path: sandbox.directory }))).status;
    expect((await executors()).executors).toMatchObject([{ container: 'c1', source: 'www.prod.web.7' }]);
    agent.terminate('c1');
    expect(await executors()).toMatchObject({ executors: [], completed_executors: [{ container: 'c1' }] });
    expect(await browse()).toBe(200);
    agent.collect('c1');
    expect(await browse()).toBe(404);
    expect((await executors()).completed_executors).toHaveLength(1);
  });
});

describe('/files/read', () => {
  test.each([
    ['1.11.0', 'raw'],
    ['0.28.0', 'raw'],
    ['0.22.0', 'escaped'],
  ])('of Mesos %s gives every byte, those above 0x7f %s', async (version, how) => {
    writeFileSync(join(directory, 'bytes'), EVERY_BYTE);
    const { url } = await agentOf({ version });
    const name = version === '0.22.0' ? '/files/read.json' : '/files/read';
    const { body } = await call(url(name, { path: '/sandbox/bytes', offset: '0' }));
    expect(Buffer.from(JSON.parse(body.toString('latin1')).data, 'latin1')).toEqual(EVERY_BYTE);
    expect(body.includes(0xff)).toBe(how === 'raw');
  });

  test('gives at most 64 KiB, what is after an offset, and the size for -1', async () => {
    writeFileSync(join(directory, 'log'), 'x'.repeat(70_000));
    const { url } = await agentOf();
    const read = (fields: Record<string, string>) =>
      bytesFrom(url('/files/read', { path: '/sandbox/log', ...fields }));
    expect((await read({ offset: '0' })).data).toHaveLength(65_536);
    expect((await read({ offset: '0', length: '1000000' })).data).toHaveLength(65_536);
    expect(await read({ offset: '69998', length: '1' })).toEqual({ data: 'x', offset: 69_998 });
    expect((await read({ offset: '69990' })).data).toHaveLength(10);
    expect(await read({ offset: '-1' })).toEqual({ data: '', offset: 70_000 });
    expect(await read({})).toEqual({ data: '', offset: 70_000 });
    expect(await read({ offset: '70001' })).toEqual({ data: '', offset: 70_001 });
    appendFileSync(join(directory, 'log'), 'new');
    expect(await read({ offset: '70000' })).toEqual({ data: 'new', offset: 70_000 });
  });

  test('refuses what it cannot read, as the sources say', async () => {
    const { url } = await agentOf();
    writeFileSync(join(directory, 'log'), '');
    symlinkSync('/etc/passwd', join(directory, 'escape'));
    const status = async (fields: Record<string, string>) => {
      const { status, body } = await call(url('/files/read', fields));
      return `${status} ${body}`;
    };
    expect(await status({})).toBe("400 Expecting 'path=value' in query.\n");
    expect(await status({ path: '/sandbox' })).toBe('400 Cannot read a directory.\n');
    expect(await status({ path: '/sandbox/none' })).toBe('404 ');
    expect(await status({ path: '/etc/passwd' })).toBe('404 ');
    expect(await status({ path: '/sandbox/log/below' })).toBe('404 ');
    expect(await status({ path: '/sandbox/../escape' })).toMatch(/^404/);
    expect(await status({ path: '/sandbox/escape' })).toMatch(/^400 '.*escape' is inaccessible\.\n$/);
    expect(await status({ path: '/sandbox/log', offset: 'x' })).toMatch(/^400 Failed to parse offset/);
    expect(await status({ path: '/sandbox/log', offset: '-2' })).toMatch(/^400/);
  });
});

test('browsing a file gives nothing, and a path that leaves the sandbox is an error', async () => {
  writeFileSync(join(directory, 'log'), '');
  symlinkSync('/etc', join(directory, 'escape'));
  const { agent, url } = await agentOf();
  expect(await bytesFrom(url('/files/browse', { path: '/sandbox/log' }))).toEqual([]);
  expect((await call(url('/files/browse', { path: '/sandbox/escape' }))).status).toBe(400);
  expect((await call(url('/files/browse', { path: '/sandbox/none' }))).status).toBe(404);
  agent.files.detach('/sandbox');
  expect((await call(url('/files/browse', { path: '/sandbox' }))).status).toBe(404);
});

test('names that are not UTF-8 come as their bytes, and are asked for as such', async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/na`), Buffer.from([0xff, 0x2b])]), 'content');
  const { url } = await agentOf();
  const [entry] = await bytesFrom(url('/files/browse', { path: '/sandbox' }));
  expect(entry.path).toBe('/sandbox/na\xff+');
  const read = await bytesFrom(
    `${url('/files/read')}path=${encodeURIComponent('/sandbox/na')}%FF%2B&offset=0`,
  );
  expect(read.data).toBe('content');
});

describe('/files/download', () => {
  test.each([
    ['index.html', 'text/html'],
    ['report.js', 'application/x-javascript'],
    ['report.txt', 'text/plain'],
    ['page.css', 'text/css'],
    ['trace.json', 'application/octet-stream'],
    ['drawing.svg', 'application/octet-stream'],
    ['runner', 'application/octet-stream'],
  ])('gives %s as an attachment of the type %s', async (name, type) => {
    writeFileSync(join(directory, name), EVERY_BYTE);
    const { url } = await agentOf();
    const { headers, body } = await call(url('/files/download', { path: `/sandbox/${name}` }));
    expect(headers).toMatchObject({
      'content-type': type,
      'content-disposition': `attachment; filename=${name}`,
      'content-length': '256',
    });
    expect(body).toEqual(EVERY_BYTE);
  });

  test('is never compressed; other answers are from 1 KiB on', async () => {
    writeFileSync(join(directory, 'log'), 'x'.repeat(5000));
    const { url } = await agentOf();
    const encoding = async (address: string) =>
      (await call(address, { 'Accept-Encoding': 'gzip, deflate' })).headers['content-encoding'];
    const path = '/sandbox/log';
    expect(await encoding(url('/files/download', { path }))).toBeUndefined();
    expect(await encoding(url('/files/read', { path, offset: '0', length: '900' }))).toBeUndefined();
    expect(await encoding(url('/files/read', { path, offset: '0' }))).toBe('gzip');
  });
});

test.each(['/state', '/files/browse', '/files/read', '/files/debug', '/monitor/statistics'])(
  '%s is the call of a script if a function is named, and never readable for other origins',
  async (endpoint) => {
    writeFileSync(join(directory, 'log'), 'x');
    const { url } = await agentOf();
    const path = endpoint === '/files/read' ? '/sandbox/log' : '/sandbox';
    const script = await call(url(endpoint, { path, offset: '0', jsonp: 'f1' }), {
      Origin: 'http://elsewhere',
    });
    const json = await call(url(endpoint, { path, offset: '0' }), { Origin: 'http://elsewhere' });
    expect(script.headers['content-type']).toBe('text/javascript');
    expect(json.headers['content-type']).toBe('application/json');
    expect(script.body.toString('latin1')).toBe(`f1(${json.body.toString('latin1')});`);
    for (const { headers } of [script, json]) {
      expect(
        Object.keys(headers).filter((name) => /^access-control|security-policy|frame-options/.test(name)),
      ).toEqual([]);
    }
  },
);

test.each([
  ['0.22.0', '/state.json', 200],
  ['0.22.0', '/state', 404],
  ['0.28.2', '/state.json', 200],
  ['1.7.0', '/files/browse.json', 400],
  ['1.8.0', '/files/browse.json', 404],
  ['1.8.0', '/files/browse', 400],
])('Mesos %s answers %s with %i', async (version, endpoint, status) => {
  const { url } = await agentOf({ version });
  expect((await call(url(endpoint))).status).toBe(status);
});

describe('what goes wrong with an agent', () => {
  test('it recovers: 503, before 0.28 an empty state', async () => {
    const sandboxes = sandboxesIn(MESOS, agentsIn(MESOS)[0] ?? '');
    const { agent, url } = await agentOf({ sandboxes });
    agent.knobs.isRecovering = true;
    expect(await call(url('/state'))).toMatchObject({
      status: 503,
      body: Buffer.from('Agent has not finished recovery'),
    });
    const older = await agentOf({ sandboxes, version: '0.27.0' });
    older.agent.knobs.isRecovering = true;
    expect((await bytesFrom(older.url('/state'))).frameworks).toEqual([]);
  });

  test('it asks for a name and a secret, and its access list forbids a path', async () => {
    const { agent, url } = await agentOf();
    agent.knobs.credentials = { principal: 'me', secret: 'geheim' };
    const refused = await call(url('/state'));
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Basic realm="mesos-agent-readonly"');
    const authorization = { Authorization: `Basic ${Buffer.from('me:geheim').toString('base64')}` };
    expect((await call(url('/state'), authorization)).status).toBe(200);
    agent.knobs.forbids = (path) => path.startsWith('/sandbox');
    const forbidden = await call(url('/files/browse', { path: '/sandbox' }), authorization);
    expect(forbidden).toMatchObject({ status: 403, body: Buffer.alloc(0) });
  });

  test('it takes its time, and connections break', async () => {
    writeFileSync(join(directory, 'log'), 'x'.repeat(5000));
    const { agent, url } = await agentOf();
    agent.knobs.latencyMs = 50;
    const start = performance.now();
    await call(url('/state'));
    expect(performance.now() - start).toBeGreaterThanOrEqual(49);
    agent.knobs.cutAfter = ({ endpoint }) => (endpoint === '/state' ? undefined : 100);
    for (const endpoint of ['/files/download', '/files/read']) {
      await expect(call(url(endpoint, { path: '/sandbox/log', offset: '0' }))).rejects.toThrow(
        /aborted|hang up|reset/,
      );
    }
    expect((await call(url('/state'))).status).toBe(200);
    expect(agent.calls.map(({ endpoint }) => endpoint)).toEqual([
      '/state',
      '/files/download',
      '/files/read',
      '/state',
    ]);
  });
});

describe('a master', () => {
  test('lists its agents; a proxy serves them on its port', async () => {
    writeFileSync(join(directory, 'log'), 'here');
    const cluster = await startCluster([{ id: 'S0' }, { id: 'S1' }], { sharePort: true });
    closes.push(cluster.close);
    const [, second] = cluster.agents;
    if (second === undefined) throw new Error('no agent');
    second.files.attach(directory, '/sandbox');
    expect((await bytesFrom(`${cluster.url}/slaves`)).slaves.map(({ id }: { id: string }) => id)).toEqual([
      'S0',
      'S1',
    ]);
    const read = await bytesFrom(`${cluster.proxiedUrlOf(second)}/files/read?path=/sandbox/log&offset=0`);
    expect(read.data).toBe('here');
    expect((await call(`${cluster.url}/agent/S9/state`)).status).toBe(404);
  });

  test('redirects to the leader without a scheme, and has nothing to say without one', async () => {
    const { master, url, close } = await startCluster([]);
    closes.push(close);
    expect((await call(`${url}/redirect`)).headers.location).toBe(`//127.0.0.1:${master.address.port}/`);
    master.leader = 'leader.example:5050';
    const moved = await call(`${url}/master/state?jsonp=f`);
    expect(moved.status).toBe(307);
    expect(moved.headers.location).toBe('//leader.example:5050/master/state?jsonp=f');
    master.leader = undefined;
    expect(await call(`${url}/slaves`)).toMatchObject({
      status: 503,
      body: Buffer.from('No leader elected'),
    });
  });
});
