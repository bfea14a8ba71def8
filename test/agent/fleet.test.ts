import { afterEach, expect, test } from 'vitest';
import { type FleetOptions, MasterFleet } from '../../src/agent/fleet.js';
import type { AgentPort } from '../../src/agent/gatherer.js';
import { HttpClient, type HttpOptions } from '../../src/agent/http.js';
import { MasterClient } from '../../src/agent/master.js';
import type { Agent } from './agent.js';
import { failure } from './answer.js';
import { type Cluster, startCluster, startMaster } from './serve.js';

const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
});

async function clusterOf(count: number, version = '1.11.0'): Promise<Cluster> {
  const options = Array.from({ length: count }, (_, i) => {
    const sandbox = {
      frameworkId: 'F',
      executorId: `thermos-task-${i}`,
      containerId: `c${i}`,
      path: '/',
      directory: `/mesos/slaves/S${i}/frameworks/F/executors/thermos-task-${i}/runs/c${i}`,
      isRunning: true,
    };
    return { id: `S${i}`, version, sandboxes: [sandbox] };
  });
  const cluster = await startCluster(options, { masterVersion: version });
  closes.push(cluster.close);
  return cluster;
}

async function otherMaster(agents: readonly Agent[], version = '1.11.0') {
  const other = await startMaster(agents, { version });
  closes.push(other.close);
  return other;
}

/** An agent of which only the address counts. */
function portAt(base: string): AgentPort {
  const never = () => Promise.reject(new Error('nobody asks'));
  return { base, state: never, statistics: never, endings: never, list: never, read: never };
}

interface Given extends Partial<FleetOptions> {
  http?: HttpOptions;
}

/** The masters of clusters, each with the addresses of its masters. */
function fleetOf(clusters: readonly (readonly string[])[], { http = {}, ...given }: Given = {}): MasterFleet {
  const client = new HttpClient(http);
  closes.push(() => client.close());
  const named = clusters.map((bases) => ({
    name: bases.join(','),
    master: new MasterClient(async () => bases, client),
  }));
  return new MasterFleet(named, { portAt, now: () => 0, advised: [], ...given });
}

/** What is asked for words, by ids of the double. */
async function asked(fleet: MasterFleet, cluster: Cluster, words: readonly string[] = []) {
  const { ports, problems } = await fleet.agentsFor(words);
  const ids = ports.map(
    ({ base }) => cluster.agents.find((each) => cluster.urlOf(each) === base)?.id ?? base,
  );
  return { ids, problems };
}

test.each([
  ['1.11.0', ['/slaves']],
  ['1.2.0', ['/slaves']],
  ['0.25.0', ['/slaves']],
  ['0.22.0', ['/slaves']],
  ['0.21.0', ['/state']],
  ['0.20.0', ['/state']],
])('a master of %s lists its agents', async (version, endpoints) => {
  const cluster = await clusterOf(2, version);
  expect(await asked(fleetOf([[cluster.url]]), cluster)).toEqual({ ids: ['S0', 'S1'], problems: [] });
  expect(cluster.master.calls.map(({ endpoint }) => endpoint).slice(-1)).toEqual(endpoints);
});

test.each(['1.11.0', '1.0.0', '0.28.0', '0.21.0'])(
  'one of %s that does not lead leads to the one that does',
  async (version) => {
    const cluster = await clusterOf(1, version);
    const { master, url } = await otherMaster([], version);
    master.leader = `127.0.0.1:${cluster.master.address.port}`;
    expect(await asked(fleetOf([[url]]), cluster)).toEqual({ ids: ['S0'], problems: [] });
  },
);

test('masters that redirect to each other are given up', async () => {
  const cluster = await clusterOf(1);
  const { master, place, url } = await otherMaster([]);
  master.leader = `127.0.0.1:${cluster.master.address.port}`;
  cluster.master.leader = place;
  const { ids, problems } = await asked(fleetOf([[url]]), cluster);
  expect(ids).toEqual([]);
  expect(problems).toMatchObject([
    {
      code: 'master-answer-odd',
      message: `cannot ask the master ${url}: each of its masters says that another one leads: ${url}, ${cluster.url}`,
    },
  ]);
  expect(master.calls.length).toBeLessThan(10);
});

test('while no master leads, the next one of the same cluster is asked, and then that is said', async () => {
  const cluster = await clusterOf(1);
  const { master, url } = await otherMaster([]);
  master.leader = undefined;
  expect(await asked(fleetOf([[url, cluster.url]]), cluster)).toEqual({ ids: ['S0'], problems: [] });
  const { problems } = await asked(fleetOf([['http://127.0.0.1:1', url]]), cluster);
  expect(problems).toMatchObject([{ code: 'master-no-leader', hint: 'ask again in a minute' }]);
});

test('two names of one cluster count once, and two clusters are both asked', async () => {
  const cluster = await clusterOf(2);
  const other = await clusterOf(1);
  const follower = await otherMaster([]);
  follower.master.leader = `127.0.0.1:${cluster.master.address.port}`;
  const { ports } = await fleetOf([[cluster.url], [follower.url], [other.url]]).agentsFor([]);
  expect(ports.map(({ base }) => base)).toEqual([...cluster.agents, ...other.agents].map(cluster.urlOf));
});

test('agents that a master has lost are asked last, and are a problem; those that have not come back yet are asked', async () => {
  const cluster = await clusterOf(3);
  cluster.master.knobs.inactive = new Set(['S0']);
  cluster.master.knobs.recovered = new Set(['S1']);
  const { ids, problems } = await asked(fleetOf([[cluster.url]]), cluster);
  expect(ids).toEqual(['S2', 'S1', 'S0']);
  expect(problems).toMatchObject([{ code: 'agent-inactive', severity: 'warning' }]);
});

test('a task is sought only on the agents that have it, if the master knows', async () => {
  const cluster = await clusterOf(3);
  const fleet = fleetOf([[cluster.url]]);
  const idsFor = async (...words: string[]) => (await asked(fleet, cluster, words)).ids;
  expect(await idsFor('task-1')).toEqual(['S1']);
  expect(await idsFor('task-2', 'task-0')).toEqual(['S0', 'S2']);
  expect(await idsFor('/mesos/slaves/S2/frameworks/F/executors/e/runs/latest')).toEqual(['S2']);
  for (const word of ['task', 'task-*', 'www/prod/web', '/etc/passwd', '/x/slaves/S9/frameworks/F']) {
    expect(await idsFor(word), word).toEqual(['S0', 'S1', 'S2']);
    expect(await idsFor('task-1', word), word).toEqual(['S0', 'S1', 'S2']);
  }
  const calls = cluster.master.calls.map(({ endpoint, query }) => query.get('task_id') ?? endpoint);
  expect(calls).toEqual(['/slaves', 'task-1', 'task-2', 'task-0', 'task']);
});

test('an answer that is not filtered, or cut, or odd chooses no agents', async () => {
  const old = await clusterOf(3, '1.3.0');
  expect((await asked(fleetOf([[old.url]]), old, ['task-1'])).ids).toEqual(['S0', 'S1', 'S2']);
  const odd = await clusterOf(2);
  for (const body of ['{"tasks":[{"id":"task-1"}]}', '{"tasks":{}}', '{"tasks":[null]}', 'x', '[]']) {
    odd.master.knobs.instead = ({ endpoint }) =>
      endpoint === '/tasks' ? { status: 200, headers: {}, body } : undefined;
    expect((await asked(fleetOf([[odd.url]]), odd, ['task-1'])).ids, body).toEqual(['S0', 'S1']);
  }
});

test('the agents are listed again after a while, and kept while no master answers', async () => {
  const cluster = await clusterOf(2);
  let now = 0;
  const fleet = fleetOf([[cluster.url]], { now: () => now });
  const first = (await fleet.agentsFor([])).ports;
  now = 5000;
  await fleet.agentsFor([]);
  expect(cluster.master.calls).toHaveLength(1);
  now = 15_000;
  cluster.master.knobs.instead = () => failure(403);
  const { ports, problems } = await fleet.agentsFor([]);
  expect(ports).toEqual(first);
  expect(problems).toMatchObject([{ code: 'master-unauthorized' }]);
  cluster.master.knobs.instead = () => undefined;
  cluster.master.knobs.recovered = new Set(['S0']);
  expect((await fleet.agentsFor([])).ports).toEqual(first.toReversed());
});

test('agents have the address that is asked for', async () => {
  const cluster = await clusterOf(1);
  cluster.master.knobs.hostnameOf = () => 'agent-1.example';
  const { port } = (cluster.agents[0] as Agent).address;
  const baseOf = async (address?: FleetOptions['address']) =>
    (await fleetOf([[cluster.url]], { address }).agentsFor([])).ports.map(({ base }) => base);
  expect(await baseOf()).toEqual([`http://agent-1.example:${port}`]);
  expect(await baseOf('hostname')).toEqual([`http://agent-1.example:${port}`]);
  expect(await baseOf('ip')).toEqual([`http://127.0.0.1:${port}`]);
  expect(await baseOf('proxy')).toEqual([`${cluster.url}/agent/S0`]);
});

test('an agent without the address that is asked for is a problem', async () => {
  const cluster = await clusterOf(2);
  cluster.master.knobs.recovered = new Set(['S0']);
  cluster.master.knobs.hostnameOf = () => 'agent.example';
  const { ports, problems } = await fleetOf([[cluster.url]], { address: 'ip' }).agentsFor([]);
  expect(ports).toHaveLength(1);
  expect(problems).toMatchObject([
    { code: 'agent-unreachable', severity: 'error', hint: 'use another --agent-address' },
  ]);
});

test('the leader that a master names is told who asks, and nobody else', async () => {
  const cluster = await clusterOf(1);
  cluster.master.knobs.authorization = 'Basic bWU6cw==';
  const follower = await otherMaster([]);
  follower.master.leader = `127.0.0.1:${cluster.master.address.port}`;
  const http = { authorization: 'Basic bWU6cw==' };
  expect((await asked(fleetOf([[follower.url]], { http }), cluster)).ids).toEqual(['S0']);
  expect((await asked(fleetOf([[follower.url]]), cluster)).problems).toMatchObject([
    { code: 'master-unauthorized', message: expect.stringContaining('realm mesos-master-readonly') },
  ]);
  // A page to log in on does not lead.
  const page = await otherMaster([]);
  for (const status of [301, 302, 303, 308]) {
    const Location = `${page.url}/login`;
    follower.master.knobs.instead = () => ({ status, headers: { Location }, body: '' });
    const { problems } = await asked(fleetOf([[follower.url]], { http }), cluster);
    expect(problems).toMatchObject([
      { code: 'master-answer-odd', message: expect.stringContaining(`redirects to ${page.url}`) },
    ]);
  }
  expect(page.master.calls).toEqual([]);
});

const html = { status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: '<html>' };

test.each([
  [html, 'its answer is not JSON, but text/html'],
  [{ status: 200, headers: {}, body: '{"slaves":7}' }, 'its answer is not the list of its agents'],
  [{ status: 200, headers: {}, body: 'null' }, 'its answer is not the list of its agents'],
  [{ status: 200, headers: {}, body: '{"pid":"slave(1)@h:1"}' }, 'it is an agent, not a master'],
  [{ status: 404, headers: {}, body: '' }, 'it does not answer as a master'],
  [{ status: 500, headers: {}, body: '' }, 'it answers with status 500'],
  [
    { status: 307, headers: { Location: 'ftp://x' }, body: '' },
    'it redirects to something that is not an address',
  ],
])('what answers like %j is not a master', async (answer, message) => {
  const cluster = await clusterOf(1);
  cluster.master.knobs.instead = () => answer;
  const { ids, problems } = await asked(fleetOf([[cluster.url]]), cluster);
  expect(ids).toEqual([]);
  expect(problems).toMatchObject([
    {
      code: 'master-answer-odd',
      severity: 'error',
      message: `cannot ask the master ${cluster.url}: ${message}`,
    },
  ]);
});

test('a master that redirects to itself, or to a page to log in on, is named as such', async () => {
  const cluster = await clusterOf(1);
  const { url } = cluster;
  const says = async (status: number, Location: string) => {
    cluster.master.knobs.instead = () => ({ status, headers: { Location }, body: '' });
    const { problems } = await asked(fleetOf([[url]]), cluster);
    return problems.map(({ message }) => message.replace(`cannot ask the master ${url}: `, ''));
  };
  expect(await says(307, '/slaves')).toEqual(['it redirects to itself']);
  expect(await says(302, '/login?next=x')).toEqual([
    `it redirects to ${url}/login, but not as a master does`,
  ]);
  const secure = url.replace('http:', 'https:');
  expect(await says(301, `${secure}/slaves`)).toEqual([
    `it redirects to ${secure}, but not as a master does`,
  ]);
});

test('an agent in place of a master is recognized', async () => {
  const cluster = await clusterOf(1);
  const url = cluster.urlOf(cluster.agents[0] as Agent);
  const { problems } = await asked(fleetOf([[url]]), cluster);
  expect(problems).toMatchObject([
    {
      message: `cannot ask the master ${url}: it is an agent, not a master`,
      hint: 'name it with --agent instead',
    },
  ]);
});

test('agents without an address are counted as left out', async () => {
  const cluster = await clusterOf(1);
  const [slave] = [{ id: 'S0', hostname: 'h', port: 1, pid: 'slave(1)@1.2.3.4:1' }];
  cluster.master.knobs.instead = () => ({
    status: 200,
    headers: {},
    body: JSON.stringify({ slaves: [slave, null, {}, { id: 'x', hostname: '../..', port: 1 }] }),
  });
  const { ids, problems } = await asked(fleetOf([[cluster.url]]), cluster);
  expect(ids).toEqual(['http://h:1']);
  expect(problems).toMatchObject([{ code: 'master-answer-odd', severity: 'warning' }]);
});

/** A master that has so many tasks, with the states that it gives; `page`: what it gives of them. */
function answering(pages: (offset: number, limit: number) => readonly string[]) {
  const asked: string[] = [];
  const http = {
    ask: async ({ path }: { path: string }) => {
      asked.push(path);
      const query = new URLSearchParams(path.split('?')[1]);
      const tasks = pages(Number(query.get('offset')), Number(query.get('limit'))).map((id) => ({ id }));
      return { status: 200, headers: {}, body: Buffer.from(JSON.stringify({ tasks })) };
    },
  } as unknown as HttpClient;
  return { asked, master: new MasterClient(async () => [], http) };
}

const NAMES = Array.from({ length: 12_000 }, (_, i) => `t${i}`);

test('all tasks of a master are read by pages that overlap', async () => {
  const { master, asked } = answering((offset, limit) => NAMES.slice(offset, offset + limit));
  const tasks = await master.tasks('http://m');
  expect(tasks.map(({ id }) => id)).toEqual(NAMES);
  expect(asked).toEqual([0, 4900, 9800].map((offset) => `/tasks?limit=5000&offset=${offset}&order=asc`));
});

test('a list that forgets many tasks between two pages is read again, and given up in the end', async () => {
  let forgotten = 0;
  const forgetful = answering((offset, limit) => {
    const page = NAMES.slice(forgotten + offset, forgotten + offset + limit);
    if (forgotten === 0) forgotten = 1000;
    return page;
  });
  expect((await forgetful.master.tasks('http://m')).map(({ id }) => id)).toEqual(NAMES.slice(1000));
  let calls = 0;
  const never = answering((offset, limit) => {
    calls += 1;
    return NAMES.slice(0, limit).map((id) => `${calls} ${offset} ${id}`);
  });
  await expect(never.master.tasks('http://m')).rejects.toThrow('changes faster than it can be read');
  expect(calls).toBe(6);
});

test('a master, or a proxy, that gives the same page again and again is given up', async () => {
  const { master, asked } = answering((_, limit) => NAMES.slice(0, limit));
  await expect(master.tasks('http://m')).rejects.toThrow('the same tasks again and again');
  expect(asked).toHaveLength(2);
});

test('a master that lists more tasks than any has is given up', async () => {
  const { master, asked } = answering(() => Array.from({ length: 200_001 }, (_, i) => String(i)));
  await expect(master.tasks('http://m')).rejects.toThrow('it lists more than 200000 tasks');
  expect(asked).toHaveLength(1);
});

test.each(['1.11.0', '0.28.0', '0.24.0'])(
  'a master of %s tells its tasks with their states',
  async (version) => {
    const cluster = await clusterOf(2, version);
    const fleet = fleetOf([[cluster.url]]);
    const { tasks, problems } = await fleet.tasks();
    const task = {
      agentId: 'S0',
      executorId: 'thermos-task-0',
      state: 'TASK_RUNNING',
      sinceMs: 1_604_400_001_500,
    };
    expect([tasks[0], tasks.length, problems]).toEqual([{ id: 'task-0', ...task }, 2, []]);
    // Those before 1.4 do not choose.
    expect((await fleet.tasks('task-1')).tasks.map(({ id }) => id)).toEqual(['task-1']);
    expect((await fleet.tasks('none')).tasks).toEqual([]);
    cluster.master.knobs.instead = ({ endpoint }) => (endpoint === '/tasks' ? failure(403) : undefined);
    expect((await fleet.tasks()).problems).toMatchObject([
      {
        code: 'master-unauthorized',
        message: `cannot ask the master ${cluster.url}: it forbids the list of its tasks`,
      },
    ]);
  },
);
