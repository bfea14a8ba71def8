import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseMaster, type ZooKeeperPlace } from '../../src/agent/master-address.js';
import { leadingMaster, leadingScheduler } from '../../src/agent/registered.js';
import { readZooKeeper } from '../../src/agent/zookeeper.js';
import { startCluster } from '../agent/serve.js';
import { asking } from '../e2e/asking.js';
import { placeForEach } from '../e2e/harness.js';
import { type Server, startZooKeeper } from './server.js';

const place = placeForEach();
const thermos = asking(place);
let server: Server;
beforeAll(async () => {
  server = await startZooKeeper();
});
afterAll(() => server?.stop());

function at(path: string, { auth = '', servers = server.place } = {}): ZooKeeperPlace {
  return parseMaster(`zk://${auth === '' ? '' : `${auth}@`}${servers}${path}`) as ZooKeeperPlace;
}

const infoOf = (hostname: string, port: number) =>
  JSON.stringify({
    address: { hostname, ip: '127.0.0.1', port },
    hostname,
    id: 'b9cc1a4b',
    ip: 16777343,
    pid: `master@127.0.0.1:${port}`,
    port,
    version: '1.11.0',
  });

test('the master with the lowest number leads, and then the next one', async () => {
  await server.create('/mesos', '');
  const first = await server.create('/mesos/json.info_', infoOf('master-1', 5050), { sequential: true });
  await server.create('/mesos/json.info_', infoOf('master-2', 5050), { sequential: true });
  await server.create('/mesos/log_replicas', '');
  expect(await leadingMaster(at('/mesos'))).toEqual(['master-1:5050', '127.0.0.1:5050']);
  await server.remove(first);
  expect(await leadingMaster(at('/mesos'))).toEqual(['master-2:5050', '127.0.0.1:5050']);
});

test('a master before 0.24 registers as a protocol buffer', async () => {
  await server.create('/old', '');
  const pid = 'master@10.0.0.7:5050';
  const data = Buffer.concat([Buffer.from([0x22, pid.length]), Buffer.from(pid)]);
  await server.create('/old/info_', data, { sequential: true });
  expect(await leadingMaster(at('/old'))).toEqual(['10.0.0.7:5050']);
});

test('the scheduler that leads is the member with the lowest number, whatever Curator puts before it', async () => {
  await server.create('/scheduler', '');
  const endpoint = { host: 'scheduler-1', port: 8081 };
  const data = JSON.stringify({
    serviceEndpoint: endpoint,
    additionalEndpoints: { http: endpoint },
    status: 'ALIVE',
  });
  await server.create('/scheduler/singleton_candidate_', '', { sequential: true });
  await server.create('/scheduler/_c_6d1ec2e6-7b1a-4f0d-9a57-3a0f4a0c1c2e-member_', data, {
    sequential: true,
  });
  expect(await leadingScheduler(at('/scheduler'))).toBe('http://scheduler-1:8081');
});

test('a path without masters, and one that is not there', async () => {
  await server.create('/empty', '');
  await expect(leadingMaster(at('/empty'))).rejects.toMatchObject({ kind: 'recovering' });
  await expect(leadingMaster(at('/none'))).rejects.toMatchObject({
    kind: 'odd',
    message: 'ZooKeeper has no /none',
  });
});

test('nodes with rights are read with a user and a password, and not without', async () => {
  const auth = 'me:never-shown';
  await server.create('/closed', '', { owner: auth });
  await server.create('/closed/json.info_', infoOf('master-1', 5050), { owner: auth, sequential: true });
  expect(await leadingMaster(at('/closed', { auth }))).toContain('master-1:5050');
  for (const other of ['', 'me:wrong']) {
    await expect(leadingMaster(at('/closed', { auth: other }))).rejects.toMatchObject({
      kind: 'unauthorized',
      message: 'ZooKeeper does not let us read /closed',
    });
  }
});

test('a server that is down is passed over', async () => {
  const servers = `127.0.0.1:1,${server.place}`;
  const names = await readZooKeeper(at('/x', { servers }), (zooKeeper) => zooKeeper.children('/'));
  expect(names).toContain('zookeeper');
});

test('the tasks of the agents of the leading master, by its place in ZooKeeper', async () => {
  const cluster = await startCluster([{ id: 'S0' }]);
  try {
    await server.create('/live', '');
    const { port } = cluster.master.address;
    await server.create('/live/json.info_', infoOf('127.0.0.1', port), { sequential: true });
    const address = `zk://${server.place}/live`;
    const found = await thermos(['status', '--json', '--master', address]);
    expect({ ...found, stdout: JSON.parse(found.stdout) }).toMatchObject({
      stdout: { tasks: [], problems: [] },
      stderr: expect.stringContaining('No tasks on the agent'),
      status: 1,
    });
    expect(cluster.agents[0]?.calls.map(({ endpoint }) => endpoint)).toEqual(['/state']);
    const secret = { THERMOS_MASTER: 'zk://me:never-shown@127.0.0.1:1/live' };
    const gone = await thermos(['status', '--debug'], { env: secret });
    expect(gone.stderr).toContain('ask the master zk://127.0.0.1:1/live: ZooKeeper does not answer');
    expect(gone.stdout + gone.stderr).not.toContain('never-shown');
    expect(gone.status).toBe(5);
  } finally {
    await cluster.close();
  }
});
