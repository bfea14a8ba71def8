import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { parseClusters } from '../../src/agent/aurora-clusters.js';
import { MasterFleet } from '../../src/agent/fleet.js';
import type { AgentPort } from '../../src/agent/gatherer.js';
import { HttpClient } from '../../src/agent/http.js';
import { JobAgents } from '../../src/agent/job-agents.js';
import { jobIn, keyOf } from '../../src/agent/job-word.js';
import { MasterClient } from '../../src/agent/master.js';
import { addressOfScheduler } from '../../src/agent/registered.js';
import { parseScheduledTasks, SchedulerClient } from '../../src/agent/scheduler.js';
import { type Scheduler, startScheduler, type Task } from './scheduler.js';
import { startCluster } from './serve.js';

const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
});

const TASKS: readonly Task[] = [
  { id: 'a', key: 'www/prod/web/0', agentId: 'S0', host: 'one.example' },
  { id: 'b', key: 'www/prod/web/1', agentId: 'S1', host: 'two.example', status: 'FAILED' },
  { id: 'c', key: 'www/prod/web/2', status: 'PENDING', message: 'Insufficient: CPU' },
  { id: 'd', key: 'www/prod/other/0', agentId: 'S2', host: 'three.example' },
];

async function schedulerOf(tasks: readonly Task[] = TASKS): Promise<Scheduler> {
  const scheduler = await startScheduler(tasks);
  closes.push(scheduler.close);
  return scheduler;
}

function client(): HttpClient {
  const http = new HttpClient({});
  closes.push(() => http.close());
  return http;
}

function portAt(base: string): AgentPort {
  const never = () => Promise.reject(new Error('nobody asks'));
  return { base, state: never, statistics: never, endings: never, list: never, read: never };
}

function agentsBy(url: string | undefined, fleet?: MasterFleet): JobAgents {
  const scheduler = url === undefined ? undefined : new SchedulerClient(async () => url, client());
  return new JobAgents({ schedulerOf: () => scheduler, fleet, portAt, now: () => 0 });
}

async function asked(agents: JobAgents, ...words: string[]) {
  const { ports, problems } = await agents.agentsFor(words);
  return { bases: ports.map(({ base }) => base), problems };
}

test.each([
  ['west/www/prod/web', 'www/prod/web'],
  ['west/www/prod/web/3', 'www/prod/web/3'],
  ['www/prod/web/3', undefined],
  ['www/prod/web', undefined],
  ['/a/b/c/d', undefined],
  ['a/b/c/d/e', undefined],
  ['a//c/d', undefined],
  ['a/b/c/d*', undefined],
  ['', undefined],
])('%j names the job %j of a cluster', (word, key) => {
  const job = jobIn(word);
  expect(job && keyOf(job)).toBe(key);
});

test('the agents that have tasks of a job are asked, and what no agent has is said', async () => {
  const scheduler = await schedulerOf();
  const agents = agentsBy(scheduler.url);
  expect(await asked(agents, 'west/www/prod/web')).toEqual({
    bases: ['http://one.example:5051', 'http://two.example:5051'],
    problems: [
      {
        code: 'task-pending',
        severity: 'warning',
        message: 'www/prod/web/2 is PENDING on no agent: Insufficient: CPU',
        task_id: 'c',
      },
    ],
  });
  expect((await asked(agents, 'west/www/prod/web/1')).bases).toEqual(['http://two.example:5051']);
  expect((await asked(agents, 'west/www/prod/none')).problems).toMatchObject([{ code: 'job-unknown' }]);
  expect(agents.meaningOf('west/www/prod/web/1')).toBe('www/prod/web/1');
  expect(scheduler.calls.every(({ authorization }) => authorization === undefined)).toBe(true);
});

test('a scheduler that does not lead leads to the one that does', async () => {
  const leader = await schedulerOf();
  const other = await schedulerOf([]);
  other.leader = leader.url.replace('http://', '');
  expect((await asked(agentsBy(other.url), 'west/www/prod/web/0')).bases).toEqual([
    'http://one.example:5051',
  ]);
});

test('with a master, agents have the addresses that it lists, and all are asked while no scheduler answers', async () => {
  const cluster = await startCluster([{ id: 'S0' }, { id: 'S1' }, { id: 'S2' }]);
  closes.push(cluster.close);
  const [zero, one, two] = cluster.agents.map(cluster.urlOf);
  const master = new MasterClient(async () => [cluster.url], client());
  const fleet = new MasterFleet([{ name: 'west', master }], { portAt, now: () => 0, advised: [] });
  const scheduler = await schedulerOf();
  expect((await asked(agentsBy(scheduler.url, fleet), 'west/www/prod/web')).bases).toEqual([zero, one]);
  expect((await asked(agentsBy(undefined, fleet), 'west/www/prod/web')).bases).toEqual([zero, one, two]);
  scheduler.leader = undefined;
  const { bases, problems } = await asked(agentsBy(scheduler.url, fleet), 'west/www/prod/web');
  expect(bases).toEqual([zero, one, two]);
  expect(problems).toMatchObject([
    {
      code: 'scheduler-unreachable',
      severity: 'warning',
      message: 'cannot ask the scheduler of west: no scheduler leads at the moment',
    },
  ]);
});

test.each([
  ['<html>', 'its answer is not JSON, but nothing'],
  ['{}', 'its answer is not that of a scheduler'],
  ['null', 'its answer is not that of a scheduler'],
  ['{"responseCode":"ERROR","details":[{"message":"no"}]}', 'it answers ERROR: no'],
  ['{"responseCode":"OK","result":{}}', 'its answer has no tasks'],
])('what answers %j is not a scheduler', async (text, message) => {
  const scheduler = await schedulerOf();
  scheduler.instead = text;
  expect((await asked(agentsBy(scheduler.url), 'west/www/prod/web')).problems).toMatchObject([
    {
      code: 'scheduler-unreachable',
      severity: 'error',
      message: `cannot ask the scheduler of west: ${message}`,
    },
  ]);
});

test.each([
  [
    301,
    { Location: 'https://aurora/x?token=never-shown' },
    'it redirects to https://aurora/x, but not as a scheduler does',
  ],
  [
    307,
    { Location: '/apibeta/getTasksWithoutConfigs' },
    /^it redirects to http:.*, but not as a scheduler does$/,
  ],
  [401, {}, 'it asks for credentials'],
  [404, {}, 'it answers with status 404'],
])('a scheduler that answers %d is named as such, with what to try', async (status, headers, message) => {
  const answer = { status, headers: lowerCase(headers), body: Buffer.alloc(0), sent: Buffer.alloc(0) };
  const http = { ask: async () => answer } as unknown as HttpClient;
  const tasks = new SchedulerClient(async () => 'http://s:8081', http).tasks();
  await expect(tasks).rejects.toMatchObject({
    message: typeof message === 'string' ? message : expect.stringMatching(message),
    hint: expect.any(String),
  });
});

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

test('all tasks of a cluster are asked for at once, with the time of their last events', async () => {
  const scheduler = await schedulerOf();
  const tasks = await new SchedulerClient(async () => scheduler.url, client()).tasks();
  expect(tasks.map(({ id }) => id)).toEqual(TASKS.map(({ id }) => id));
  expect(tasks[2]).toMatchObject({ agentId: '', status: 'PENDING', sinceMs: 1_604_400_000_000 });
  expect(scheduler.calls.at(-1)?.body).toBe('{"query":{}}');
});

test('one task of a cluster is asked for by its id', async () => {
  const scheduler = await schedulerOf();
  const id = TASKS[1]?.id as string;
  const tasks = await new SchedulerClient(async () => scheduler.url, client()).tasks(id);
  expect(tasks.map((task) => task.id)).toEqual([id]);
});

test('a cluster whose scheduler clusters.json does not name is said, if no master is known', async () => {
  const agents = agentsBy(undefined);
  expect((await asked(agents, 'west/www/prod/web')).problems).toMatchObject([
    { code: 'scheduler-unreachable', message: 'clusters.json does not say where the scheduler of west is' },
  ]);
});

test('any JSON in place of tasks is tasks or not', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const wrapped = { responseCode: 'OK', result: { scheduleStatusResult: { tasks: [value] } } };
      for (const answer of [value, wrapped]) {
        const tasks = parseScheduledTasks(answer);
        if (typeof tasks !== 'string') for (const { host } of tasks) expect(host).toMatch(/^[\w.[\]:-]*$/);
      }
    }),
  );
});

test('clusters.json tells where schedulers are, as Aurora reads it', () => {
  const clusters = parseClusters(
    JSON.stringify([
      {
        name: 'west',
        zk: 'zk-1,zk-2',
        zk_port: 2182,
        scheduler_zk_path: '/aurora/scheduler',
        proxy_url: 'http://p',
      },
      { name: 'east', scheduler_uri: 'http://scheduler:8081/', slave_root: '/var/lib/mesos' },
      { name: 'proxied', proxy_url: 'https://aurora.example' },
      { name: 'nothing', zk: 7 },
      { zk: 'nameless' },
    ]),
  );
  expect(Object.fromEntries(clusters ?? [])).toEqual({
    west: {
      kind: 'zookeeper',
      servers: [
        { host: 'zk-1', port: 2182 },
        { host: 'zk-2', port: 2182 },
      ],
      path: '/aurora/scheduler',
    },
    east: { kind: 'http', base: 'http://scheduler:8081' },
    proxied: { kind: 'http', base: 'https://aurora.example' },
    nothing: undefined,
  });
  expect([...(parseClusters('{"x":{"name":"west","scheduler_uri":"h"}}')?.keys() ?? [])]).toEqual(['west']);
  for (const text of ['x', '7', '[7]', 'null']) expect(parseClusters(text)).toBeUndefined();
});

test('a scheduler registers as a member of a server set', () => {
  const of = (json: unknown) => addressOfScheduler(Buffer.from(JSON.stringify(json)));
  const [host, port] = ['h', 8081];
  expect(of({ serviceEndpoint: { host, port }, additionalEndpoints: {}, status: 'ALIVE' })).toBe(
    'http://h:8081',
  );
  expect(of({ additionalEndpoints: { http: { host, port }, https: { host, port: 8443 } } })).toBe(
    'https://h:8443',
  );
  for (const odd of [7, null, {}, { serviceEndpoint: { host: '../x', port } }])
    expect(of(odd)).toBeUndefined();
});
