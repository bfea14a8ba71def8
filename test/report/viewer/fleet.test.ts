import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MOST_STREAM_BYTES, RemoteStream } from '../../../src/agent/remote-stream.js';
import { Sandbox } from '../../../src/agent/sandbox.js';
import { encodeRecord } from '../../../src/checkpoint/codec.js';
import { encodeFrame } from '../../../src/checkpoint/framing.js';
import type { CheckpointRecord } from '../../../src/checkpoint/records.js';
import { Replay } from '../../../src/checkpoint/replay.js';
import { BrowserAgentClient, type Load } from '../../../src/report/viewer/client.js';
import { Fleet } from '../../../src/report/viewer/fleet.js';
import type { Agent } from '../../agent/agent.js';
import { sandboxesIn } from '../../agent/sandboxes.js';
import { startCluster } from '../../agent/serve.js';
import { FIXTURES } from '../../e2e/harness.js';
import { loadScript } from './load.js';

const S0 = '6d1ec2e6-7b1a-4f0d-9a57-3a0f4a0c1c2e-S0';
const SITE = '1412345678901-www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e';

let workDir: string;
let agent: Agent;
let url: string;
let master: string;
let close: () => Promise<void>;

async function start(version: string): Promise<void> {
  const sandboxes = sandboxesIn(workDir, S0);
  const cluster = await startCluster([{ id: S0, workDir, version, sandboxes }], { masterVersion: version });
  agent = cluster.agents[0] as Agent;
  url = cluster.urlOf(agent);
  master = cluster.url;
  close = cluster.close;
}

beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'fleet-'));
  cpSync(join(FIXTURES, 'mesos'), workDir, { recursive: true, verbatimSymlinks: true });
});
afterEach(async () => {
  await close();
  rmSync(workDir, { recursive: true, force: true });
});

const fleetWith = (load: Load) =>
  new Fleet({ loadFrom: () => load, changed: () => {}, pause: () => Promise.resolve() });

const statesIn = (fleet: Fleet) =>
  fleet.tasks.map(({ task_id, view }) => `${task_id} ${view?.state} ${view?.verdict}`).sort();

async function look(load: Load = loadScript): Promise<Fleet> {
  const fleet = fleetWith(load);
  fleet.add(url);
  await fleet.round();
  return fleet;
}

const calls = (endpoint: string) =>
  agent.calls.filter((call) => call.endpoint === endpoint).map(({ query }) => query.get('path') ?? '');

describe('agents of all versions', () => {
  test.each(['0.19.0', '0.24.0', '0.25.0', '0.28.2', '1.0.0', '1.4.0', '1.7.1', '1.8.0', '1.11.0'])(
    '%s: tasks are found and read, by the name of the agent and by its master',
    async (version) => {
      await start(version);
      const fleet = await look();
      expect(fleet.agents).toMatchObject([{ answer: 'ok', leftOut: 0 }]);
      expect(statesIn(fleet)).toContain(`${SITE} ACTIVE ok`);
      expect(statesIn(fleet).filter((each) => each.includes('undefined'))).toEqual([]);
      const byMaster = fleetWith(loadScript);
      await byMaster.addFrom(master);
      await byMaster.round();
      expect(statesIn(byMaster)).toEqual(statesIn(fleet));
    },
  );
});

describe('a task', () => {
  test('takes two calls when it is first read, and none or one later', async () => {
    await start('1.11.0');
    const fleet = await look();
    const streams = calls('/files/read').filter((path) => path.endsWith('/runner'));
    expect(streams).toHaveLength(new Set(streams).size);
    agent.calls.length = 0;
    await fleet.round();
    // Only the task that runs may have changed.
    expect(calls('/files/read')).toEqual([expect.stringContaining(`${SITE}/runner`)]);
    expect(calls('/state')).toHaveLength(1);
  });

  test('is followed: only what was appended is fetched', async () => {
    await start('1.11.0');
    const fleet = await look();
    const row = fleet.tasks.find(({ task_id }) => task_id === SITE);
    const source = fleet.source(row as NonNullable<typeof row>);
    const before = await source.read();
    const path = `${before?.view.found.checkpoint_dir}/runner`;
    const size = Number(
      agent.calls
        .filter(({ query }) => query.get('path') === path)
        .at(-1)
        ?.query.get('offset'),
    );
    expect(size).toBe(0);
    const record: CheckpointRecord = {
      type: 'task_status',
      value: { state: 'CLEANING', timestamp_ms: 1_795_000_000_000, runner_pid: 1, runner_uid: 0 },
    };
    appendFileSync(path, encodeFrame(encodeRecord(record)));
    agent.calls.length = 0;
    const after = await source.read();
    expect(after?.view.state).toBe('CLEANING');
    expect(after?.view.statuses.length).toBe((before?.view.statuses.length ?? 0) + 1);
    const offsets = agent.calls
      .filter(({ query }) => query.get('path') === path)
      .map(({ query }) => query.get('offset'));
    expect(offsets.filter((offset) => offset !== undefined)).not.toContain('0');
    await fleet.round();
    expect(statesIn(fleet)).toContain(`${SITE} CLEANING ok`);
  });

  test('whose executor ended before it did has lost its runner', async () => {
    await start('1.11.0');
    const fleet = await look();
    const run = fleet.tasks.find(({ task_id }) => task_id === SITE)?.run;
    agent.terminate(run?.directory.split('/').at(-1) as string);
    await fleet.round();
    expect(statesIn(fleet)).toContain(`${SITE} ACTIVE runner-gone`);
  });

  test('whose sandbox was collected is listed, and not given', async () => {
    await start('1.11.0');
    const fleet = fleetWith(loadScript);
    fleet.add(url);
    agent.collect('6514b84e-b0ab-5c71-b96c-fedf6a0d5b31');
    await fleet.round();
    expect(fleet.tasks.find(({ task_id }) => task_id === SITE)).toMatchObject({ refused: true });
    const row = fleet.tasks.find(({ task_id }) => task_id === SITE);
    expect(await fleet.source(row as NonNullable<typeof row>).read()).toBeUndefined();
  });
});

describe('an agent that', () => {
  test('asks for a password, forbids or is starting is told apart from those that answer', async () => {
    await start('1.11.0');
    agent.knobs.credentials = { principal: 'p', secret: 's' };
    const fleet = fleetWith(loadScript);
    fleet.add(url);
    fleet.add('http://127.0.0.1:1');
    await fleet.round();
    expect(fleet.agents.map(({ answer }) => answer)).toEqual(['none', 'none']);
    agent.knobs.credentials = undefined;
    await fleet.round();
    expect(fleet.agents.map(({ answer }) => answer)).toEqual(['ok', 'none']);
    agent.knobs.forbids = () => true;
    const refused = await look();
    expect(refused.tasks.length).toBeGreaterThan(0);
    expect(refused.tasks.every((row) => row.refused)).toBe(true);
  });

  test('answers garbage is read as far as it makes sense', async () => {
    await start('1.11.0');
    const garbage = [
      null,
      {},
      [],
      'x',
      { data: 7 },
      { data: 'x'.repeat(100) },
      [{ path: '/etc/shadow', mode: '-rw' }],
    ];
    for (const answer of garbage) {
      const load: Load = (address) =>
        address.includes('/state') ? loadScript(address) : Promise.resolve(answer);
      const fleet = await look(load);
      expect(fleet.agents[0]?.answer).toBe('ok');
      for (const row of fleet.tasks) await fleet.source(row).read();
    }
  });

  test('never gives an end of a stream is asked no more than a stream may be long', async () => {
    await start('1.11.0');
    let pieces = 0;
    const load: Load = async () => {
      pieces += 1;
      // A record of a length that never comes.
      return { data: `\x03\xff\xff\xff${'\0'.repeat(64 * 1024 - 4)}` };
    };
    const sandbox = new Sandbox(new BrowserAgentClient(url, load), '/work/runs/c1');
    const stream = new RemoteStream('/work/runs/c1/runner', new Replay({ history: false }));
    expect(await stream.refresh(sandbox)).toEqual({ damage: undefined, unread: 'too-long' });
    expect(pieces).toBe(MOST_STREAM_BYTES / (64 * 1024));
    await stream.refresh(sandbox);
    expect(pieces).toBe(MOST_STREAM_BYTES / (64 * 1024));
  });
});

describe('a sandbox', () => {
  test('gives nothing that is outside of it, and is not even asked', async () => {
    await start('1.11.0');
    writeFileSync(join(workDir, 'secret'), 'secret');
    const asked: string[] = [];
    const load: Load = async (address) => {
      asked.push(address);
      return { data: 'x' };
    };
    const sandbox = new Sandbox(new BrowserAgentClient(url, load), '/work/runs/c1');
    for (const path of [
      '/work/runs/c2/x',
      '/work/runs/c1/../c2',
      '/work/runs/c10',
      '/etc/passwd',
      '/work/runs/c1/a\0b',
    ]) {
      expect(await sandbox.read(path, 0, 10)).toBeUndefined();
      expect(await sandbox.list(path)).toBe('refused');
    }
    expect(asked).toEqual([]);
  });
});
