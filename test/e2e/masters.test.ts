import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Agent } from '../agent/agent.js';
import { sandboxesIn } from '../agent/sandboxes.js';
import { type Scheduler, startScheduler } from '../agent/scheduler.js';
import { type Cluster, startCluster, startMaster } from '../agent/serve.js';
import { violations } from '../contracts/validate.js';
import { asking } from './asking.js';
import { FIXTURES, placeForEach } from './harness.js';

const S0 = '6d1ec2e6-7b1a-4f0d-9a57-3a0f4a0c1c2e-S0';
const S3 = '20150617-080000-16842879-5050-1234-S3';
const SYNC = 'backup-prod-sync-0-ef430183-e62c-5179-a11f-7ad64808585d';

const place = placeForEach();
const thermos = asking(place);
let cluster: Cluster;
/** The agents of the fixtures. */
let big: Agent;
let small: Agent;
beforeEach(async () => {
  const workDir = join(place.path, 'mesos');
  cpSync(join(FIXTURES, 'mesos'), workDir, { recursive: true, verbatimSymlinks: true });
  cluster = await startCluster([
    { id: S0, hostname: 'agent-1', workDir, sandboxes: sandboxesIn(workDir, S0) },
    { id: S3, hostname: 'agent-2', workDir, sandboxes: sandboxesIn(workDir, S3) },
  ]);
  [big, small] = cluster.agents as [Agent, Agent];
});
afterEach(() => cluster.close());

const hostPort = () => `127.0.0.1:${cluster.master.address.port}`;

test('doctor says that a master has no agent', async () => {
  const empty = await startCluster([]);
  try {
    const { stderr, status } = await thermos([
      'doctor',
      '--master',
      `127.0.0.1:${empty.master.address.port}`,
    ]);
    expect({ stderr, status }).toEqual({ stderr: 'There is no agent to ask.\n', status: 0 });
  } finally {
    await empty.close();
  }
});

test('status shows the tasks of all agents of a master, as if each agent was named', async () => {
  const answerTo = async (...words: string[]) => {
    const { stdout, stderr, status } = await thermos(['status', '--json', ...words]);
    const document = JSON.parse(stdout);
    expect(violations('status', document)).toEqual([]);
    return { ...document, stderr, status };
  };
  const named = await answerTo(...cluster.agents.flatMap((agent) => ['--agent', cluster.urlOf(agent)]));
  expect(named.tasks.length).toBeGreaterThan(5);
  for (const master of [hostPort(), `${cluster.url}/`]) {
    expect(await answerTo('--master', master)).toEqual(named);
  }
});

test('inspect, tail and read find a task on the agent that has it, and ask no other', async () => {
  const [{ directory } = { directory: '' }] = sandboxesIn(join(place.path, 'mesos'), S3);
  const stream = `${directory}/checkpoints/checkpoints/${SYNC}`;
  for (const words of [
    ['inspect', '--json', SYNC],
    ['tail', '--no-follow', SYNC],
    ['read', '--json', SYNC],
    ['read', '--json', stream],
    ['ls', SYNC],
    ['wait', SYNC],
  ]) {
    const named = await thermos([...words, '--agent', cluster.urlOf(small)]);
    const found = await thermos([...words, '--master', hostPort()]);
    expect({ words, ...found }).toEqual({ words, ...named });
    expect(found.status).toBe(0);
  }
  expect(big.calls).toEqual([]);
});

test('THERMOS_MASTER is asked if no flag says where to look', async () => {
  const env = { THERMOS_MASTER: hostPort() };
  const ids = async (...words: string[]) => (await thermos(['status', '--quiet', ...words], { env })).stdout;
  expect(await ids('--failed')).toContain('www-data-devel-etl-3');
  expect(await ids('--agent', cluster.urlOf(small))).toBe(`${SYNC}\n`);
  expect(await ids('--root', join(place.path, 'none'))).toBe('');
  const missing = await thermos(['status', 'nothing-like-it'], { env });
  expect(missing.stderr).toContain("no task matches 'nothing-like-it' on 2 agents");
  expect(missing.stderr).toContain('thermos status; thermos roots');
  expect(missing.status).toBe(1);
});

test('a file says where the master is', async () => {
  const path = join(place.path, 'master');
  writeFileSync(path, `${hostPort()}\n`, { mode: 0o644 });
  const { stdout, status } = await thermos(['status', '-q', '--master', `file://${path}`, SYNC]);
  expect({ stdout, status }).toEqual({ stdout: `${SYNC}\n`, status: 0 });
  writeFileSync(path, 'file:///x');
  const odd = await thermos(['status', '--master', `file://${path}`]);
  expect(odd.status).toBe(2);
  expect(odd.stderr).toContain(`file://${path}: it does not say where masters are`);
});

test('agents that cannot be reached and a master that answers for one of two clusters are problems', async () => {
  const other = await startMaster([], {});
  try {
    other.master.leader = undefined;
    cluster.master.knobs.inactive = new Set([S0]);
    const words = ['--master', hostPort(), '--master', other.place];
    const { stdout, stderr, status } = await thermos(['status', '-q', ...words, 'backup/prod/sync/0']);
    expect({ stdout, status }).toEqual({ stdout: `${SYNC}\n`, status: 5 });
    expect(stderr).toBe(
      `error: cannot ask the master ${other.place}: no master leads at the moment
hint: ask again in a minute
warning: the master ${hostPort()} has lost the agent ${S0} on 127.0.0.1 (on ${cluster.urlOf(big)})
`,
    );
    const missing = await thermos(['inspect', 'nothing-like-it', '--master', hostPort()]);
    expect(missing.stderr).toContain(`thermos status --master ${hostPort()}`);
  } finally {
    await other.close();
  }
});

describe('a job of a cluster, as Aurora names it', () => {
  let scheduler: Scheduler;
  let home: string;
  let config: string;
  beforeEach(async () => {
    scheduler = await startScheduler([
      { id: SYNC, key: 'backup/prod/sync/0', agentId: S3, host: '127.0.0.1' },
      { id: 'waits', key: 'backup/prod/sync/1', status: 'PENDING', message: 'Insufficient: CPU' },
    ]);
    home = join(place.path, 'home');
    mkdirSync(join(home, '.aurora'), { recursive: true });
    config = join(home, 'config.json');
    configure({});
    const clusters = [{ name: 'west', scheduler_uri: scheduler.url, slave_root: '/var/lib/mesos' }];
    writeFileSync(join(home, '.aurora/clusters.json'), JSON.stringify(clusters), { mode: 0o644 });
  });
  afterEach(() => scheduler.close());
  const configure = (json: object) => writeFileSync(config, JSON.stringify(json), { mode: 0o644 });
  const here = () => ({ env: { HOME: home, THERMOS_CONFIG: config } });

  test('is found by its scheduler and a master that the config names, on the agents that have it', async () => {
    configure({ masters: { west: hostPort() } });
    const word = 'west/backup/prod/sync';
    const found = await thermos(['status', '-q', word], here());
    expect(found).toMatchObject({
      stdout: `${SYNC}\n`,
      stderr: 'warning: backup/prod/sync/1 is PENDING on no agent: Insufficient: CPU\n',
      status: 0,
    });
    const log = await thermos(['cat', `${word}/0:sandbox/.logs/sync/0/stdout`], here());
    expect({ ...log, stdout: log.stdout !== '' }).toMatchObject({ stdout: true, stderr: '', status: 0 });
    expect(big.calls).toEqual([]);
    const examined = await thermos(['doctor', '--json', '--master', 'west'], here());
    const { reconcile, reconcile_source } = JSON.parse(examined.stdout);
    expect(violations('doctor', JSON.parse(examined.stdout))).toEqual([]);
    expect(reconcile_source).toBe('scheduler');
    expect(reconcile).toContainEqual(
      expect.objectContaining({
        task_id: SYNC,
        local: 'finished',
        expected: 'RUNNING',
        action: 'send-final-state',
      }),
    );
    expect(reconcile).toContainEqual(
      expect.objectContaining({ task_id: 'waits', local: 'absent', action: 'none' }),
    );
    scheduler.calls.splice(0);
    for (const words of [
      ['--cluster', 'west', '--master', hostPort(), SYNC],
      ['--master', 'west', SYNC],
      [`${word}/0`],
    ]) {
      const one = JSON.parse((await thermos(['doctor', '--json', ...words], here())).stdout);
      expect(violations('doctor', one)).toEqual([]);
      expect(one.reconcile_source).toBe('scheduler');
      expect(one.reconcile).toMatchObject([
        { task_id: SYNC, local: 'finished', expected: 'RUNNING', action: 'send-final-state' },
      ]);
      expect(one.findings).toMatchObject([{ code: 'scheduler-disagrees', task_ids: [SYNC] }]);
    }
    const queries = scheduler.calls.flatMap(({ body }) => (body === '' ? [] : JSON.parse(body).query));
    expect(queries.filter(({ taskIds }) => taskIds !== undefined)).toEqual(
      Array.from({ length: 3 }, () => ({ taskIds: [SYNC] })),
    );
    const byMaster = JSON.parse(
      (await thermos(['doctor', '--json', '--master', hostPort(), SYNC], here())).stdout,
    );
    expect(byMaster).toMatchObject({
      reconcile_source: 'master',
      reconcile: [{ task_id: SYNC, expected: 'FINISHED' }],
    });
    const named = await thermos(['status', '-q', '--master', 'west', 'prod-sync'], here());
    expect({ ids: named.stdout, status: named.status }).toEqual({ ids: `${SYNC}\n`, status: 0 });
  });

  test('without a master is sought on the hosts that the scheduler names', async () => {
    const { stdout, stderr, status } = await thermos(['status', 'west/backup/prod/sync/0'], here());
    expect({ stdout: stdout.includes(SYNC), status }).toEqual({ stdout: false, status: 5 });
    expect(stderr).toContain('thermos status --agent http://127.0.0.1:5051');
    expect(stderr).toContain("no task matches 'backup/prod/sync/0': no agent answered");
  });

  test('whom only a scheduler names is not told who asks', async () => {
    const asked: string[][] = [];
    const server = createServer(({ rawHeaders }, response) => {
      asked.push(rawHeaders);
      response.end('{}');
    });
    // An address of this machine that no other test has: the port is the one of agents.
    const host = `127.87.${process.pid % 251}.${1 + (process.pid % 239)}`;
    await new Promise<void>((resolve) => server.listen(5051, host, resolve));
    try {
      scheduler.tasks[0] = { id: SYNC, key: 'backup/prod/sync/0', agentId: S3, host };
      const secret = join(place.path, 'secret.json');
      writeFileSync(secret, '{"principal":"me","secret":"S3CRET"}', { mode: 0o600 });
      const { env } = here();
      await thermos(['status', 'west/backup/prod/sync/0'], {
        env: { ...env, THERMOS_CREDENTIALS_FILE: secret },
      });
      expect(asked.length).toBeGreaterThan(0);
      expect(JSON.stringify(asked).toLowerCase()).not.toContain('authorization');
    } finally {
      server.close();
    }
  });

  test('means a path if there is one, and an unknown cluster is named, with those that are known', async () => {
    const cwd = join(place.path, 'cwd');
    mkdirSync(join(cwd, 'west/backup/prod/sync'), { recursive: true });
    const path = await thermos(['status', 'west/backup/prod/sync'], { ...here(), cwd });
    expect(path.status).toBe(1);
    const unknown = await thermos(['status', 'east/backup/prod/sync'], { ...here(), cwd });
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toMatch(
      /^error: there is no cluster 'east'\nhint: known are west; clusters are those of /,
    );
    expect(scheduler.calls).toEqual([]);
  });

  test('is not sought by a file that others can write', async () => {
    chmodSync(join(home, '.aurora/clusters.json'), 0o666);
    const words = ['status', '-q', '--master', hostPort(), 'west/backup/prod/sync'];
    const { stdout, stderr, status } = await thermos(words, here());
    expect({ stdout, status }).toEqual({ stdout: `${SYNC}\n`, status: 0 });
    expect(stderr).toContain('.aurora/clusters.json are not used: ');
    expect(scheduler.calls).toEqual([]);
  });

  test('a config with masters asks none that nobody names', async () => {
    configure({ masters: { west: hostPort() } });
    await thermos(['status'], here());
    expect(cluster.master.calls).toEqual([]);
    configure({ masters: { west: 'zk://me:never-shown@zk/mesos' } });
    const secret = await thermos(['status', '--debug', '--master', 'west'], here());
    expect(secret.status).toBe(2);
    expect(secret.stderr).toContain('masters.west must hold no user or password');
    expect(secret.stderr).not.toContain('never-shown');
  });
});

test.each([
  [['--master', 'http://me:never-shown@host'], 'must hold no user or password'],
  [['--master', 'zk://me:never-shown@host/mesos'], 'in THERMOS_MASTER or in a file'],
  [['--master', 'ftp://host'], '--master takes HOST:PORT, an http or https address'],
  [['--master', 'zk://host'], "not 'zk://host'"],
  [['--master', 'file:///no/such/file'], 'file:///no/such/file: there is no such file'],
  [['--master', 'a', '--agent', 'b'], '--agent and --master cannot be used together'],
  [['--master', 'a', '--root', '/x'], '--root'],
  [['--insecure'], '--insecure needs --agent or --master'],
  [['--agent', 'a', '--agent-address', 'proxy'], '--agent-address and --agent cannot be used together'],
])('%j is a wrong command line', async (words, message) => {
  const { stdout, stderr, status } = await thermos(['status', '--debug', ...words]);
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('never-shown');
});

test('commands that change something ask no master', async () => {
  const { stderr, status } = await thermos(['kill', '--master', hostPort(), 'x']);
  expect(status).toBe(2);
  expect(stderr).toContain('aurora job kill');
  expect(cluster.master.calls).toEqual([]);
});
