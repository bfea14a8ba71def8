import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { AgentClient, httpClient } from '../../src/agent/client.js';
import { AgentTasks } from '../../src/agent/gatherer.js';
import { RemoteTransitions } from '../../src/agent/transitions.js';
import { localTransitions } from '../../src/app/local-transitions.js';
import { encodeEvent } from '../../src/contracts/encode-event.js';
import type { TaskTransition, TransitionLook, TransitionWatch } from '../../src/task/transition-watch.js';
import { RAN, Records, type TaskFiles } from '../task/trees.js';
import type { Agent } from './agent.js';
import { LINKED, makeWorkDir } from './fixtures.js';
import { launchTask } from './launch.js';
import { agentsIn, sandboxesIn } from './sandboxes.js';
import { type Cluster, startCluster } from './serve.js';

/** The times of `Records`. */
const BEGIN = 1_400_000_000_000;

let workDir: string;
let cluster: Cluster;
let agent: Agent;
const http = httpClient({});
beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'transitions-'));
  cluster = await startCluster([{ id: 'S0', hostname: 'agent-1', workDir }]);
  [agent] = cluster.agents as [Agent];
});
afterEach(async () => {
  await cluster.close();
  rmSync(workDir, { recursive: true, force: true });
});

const NOW = { now: () => 0, pause: async () => {} };

function clientsOf(of: Cluster): AgentTasks {
  return new AgentTasks(
    of.agents.map((each) => new AgentClient(of.urlOf(each), http, Date.now)),
    Date.now,
  );
}

function follow(sinceMs = 0, words: readonly string[] = []): RemoteTransitions {
  return new RemoteTransitions(clientsOf(cluster), words, sinceMs, NOW);
}

/** A task in a sandbox of its own; its root. */
const launch = (id: string, files?: TaskFiles, isRunning?: boolean) =>
  launchTask(agent, id, files, isRunning);

/** `TASK PROCESS RUN STATE`. */
const wordOf = ({ task_id, process, run, state }: TaskTransition) =>
  [task_id, process, run, state].filter((word) => word !== undefined).join(' ');

async function wordsOf(watch: TransitionWatch): Promise<string[]> {
  return (await watch.look()).transitions.map(wordOf);
}

/** Appends what the records have beyond the stream. */
function write(root: string, id: string, records: Records, stream = 'runner'): void {
  const path = join(root, 'checkpoints', id, stream);
  appendFileSync(path, records.bytes().subarray(readFileSync(path).length));
}

const codesOf = ({ problems, selection }: TransitionLook) =>
  [...problems, ...(selection?.problems ?? [])].map(({ code }) => code);

test('each transition is given once, as it is recorded, and that of a task that is launched later too', async () => {
  const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED');
  const root = launch('a', { runner: records });
  const watch = follow();
  expect(await wordsOf(watch)).toEqual(['a ACTIVE', 'a p 0 WAITING', 'a p 0 FORKED']);
  expect(await wordsOf(watch)).toEqual([]);
  write(root, 'a', records.process('p', 'RUNNING', 'SUCCESS'));
  launch('b');
  expect((await wordsOf(watch)).sort()).toEqual(['a p 0 RUNNING', 'a p 0 SUCCESS', 'b ACTIVE']);
  write(root, 'a', records.status('SUCCESS', BEGIN + 5000));
  renameSync(join(root, 'tasks/active/a'), join(root, 'tasks/finished/a'));
  agent.terminate('a');
  expect(await wordsOf(watch)).toEqual(['a SUCCESS']);
  expect(await wordsOf(watch)).toEqual([]);
});

test('a task that is over and whose executor is gone takes no call any more', async () => {
  const runner = new Records()
    .status('ACTIVE')
    .process('p', ...RAN)
    .status('SUCCESS');
  launch('a', { phase: 'finished', runner }, false);
  const watch = follow();
  expect((await wordsOf(watch)).length).toBe(6);
  agent.calls.splice(0);
  expect(await wordsOf(watch)).toEqual([]);
  expect(agent.calls.map(({ endpoint }) => endpoint)).toEqual(['/state']);
});

test('since a time: nothing from before it, by the clock of the agent', async () => {
  const records = new Records().status('ACTIVE').process('p', ...RAN);
  const root = launch('a', { runner: records });
  launch('old', { phase: 'finished', runner: new Records().status('FAILED') }, false);
  utimesSync(
    join(workDir, 'slaves/S0/frameworks/F/executors/thermos-old/runs/old/checkpoints/checkpoints/old/runner'),
    1,
    1,
  );
  expect((await wordsOf(follow(BEGIN + 2000))).sort()).toEqual(['a p 0 RUNNING', 'a p 0 SUCCESS']);
  agent.knobs.aheadMs = 3_600_000;
  const watch = follow(BEGIN + 2000);
  expect(await wordsOf(watch)).toEqual([]);
  agent.knobs.aheadMs = -3_600_000;
  expect(await wordsOf(follow(BEGIN + 3_602_000))).toEqual(['a p 0 RUNNING', 'a p 0 SUCCESS']);
  write(root, 'a', records.status('FAILED', BEGIN + 3_700_000));
  agent.knobs.aheadMs = 3_600_000;
  expect(await wordsOf(watch)).toEqual(['a FAILED']);
});

test('what coordinators have recorded is given once the executor is gone, and not again by another runner', async () => {
  const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED', 'RUNNING');
  const rest = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED', 'RUNNING');
  const coordinator = Buffer.concat([rest.coordinator('p', 'SUCCESS')]);
  const root = launch('a', { runner: records, coordinators: { p: coordinator } });
  const watch = follow();
  expect(await wordsOf(watch)).toEqual(['a ACTIVE', 'a p 0 WAITING', 'a p 0 FORKED', 'a p 0 RUNNING']);
  agent.terminate('a');
  expect(await wordsOf(watch)).toEqual(['a p 0 SUCCESS']);
  write(root, 'a', records.process('p', 'SUCCESS').status('SUCCESS', BEGIN + 9000));
  expect(await wordsOf(watch)).toEqual(['a SUCCESS']);
});

test('an agent that stops answering loses nothing: what happened meanwhile is given, once', async () => {
  const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED');
  const root = launch('a', { runner: records });
  const watch = follow();
  await watch.look();
  agent.knobs.isRecovering = true;
  const lost = await watch.look();
  expect([codesOf(lost), lost.answering]).toEqual([['agent-recovering'], []]);
  write(root, 'a', records.process('p', 'RUNNING'));
  agent.knobs.isRecovering = false;
  const back = await watch.look();
  expect([back.transitions.map(wordOf), back.answering]).toEqual([['a p 0 RUNNING'], [cluster.urlOf(agent)]]);
  expect((await watch.look()).answering).toEqual([]);
});

test('an agent of an old version that has just started and knows no tasks loses nothing either', async () => {
  const old = await startCluster([{ id: 'S0', workDir, version: '0.22.0' }]);
  onTestFinished(() => old.close());
  await cluster.close();
  cluster = old;
  [agent] = old.agents as [Agent];
  const records = new Records().status('ACTIVE');
  const root = launch('a', { runner: records });
  const watch = follow();
  expect(await wordsOf(watch)).toEqual(['a ACTIVE']);
  agent.knobs.isRecovering = true;
  expect(await wordsOf(watch)).toEqual([]);
  write(root, 'a', records.process('p', 'WAITING'));
  agent.knobs.isRecovering = false;
  expect(await wordsOf(watch)).toEqual(['a p 0 WAITING']);
});

test('an agent that goes away in the middle of a look is told once, and no task of it is', async () => {
  const records = new Records().status('ACTIVE');
  const roots = ['a', 'b', 'c'].map((id) => launch(id, { runner: records }));
  const watch = follow();
  await watch.look();
  records.process('p', 'WAITING');
  for (const [i, root] of roots.entries()) write(root, 'abc'.charAt(i), records);
  agent.knobs.instead = ({ endpoint }) =>
    /read|api|download/.test(endpoint) ? { status: 503, headers: {}, body: '' } : undefined;
  const look = await watch.look();
  expect(look.transitions).toEqual([]);
  expect(look.problems.map(({ agent: of }) => of)).toEqual([cluster.urlOf(agent)]);
  agent.knobs.instead = () => undefined;
  expect((await wordsOf(watch)).sort()).toEqual(['a p 0 WAITING', 'b p 0 WAITING', 'c p 0 WAITING']);
});

test('a stream that is written anew, or damaged, does not give anything twice', async () => {
  const records = new Records().status('ACTIVE').process('p', ...RAN);
  const root = launch('a', { runner: records });
  const watch = follow();
  await watch.look();
  const path = join(root, 'checkpoints/a/runner');
  const whole = records.bytes();
  writeFileSync(path, whole.subarray(0, whole.length - 20));
  expect(await wordsOf(watch)).toEqual([]);
  writeFileSync(path, whole);
  expect(await wordsOf(watch)).toEqual([]);
  appendFileSync(path, Buffer.from('\x00\x00\x00\x04junkjunk'));
  expect(codesOf(await watch.look())).toEqual(['checkpoint-damaged']);
});

test('looks are the rarer the less happens, and never follow each other faster than they take', async () => {
  launch('a');
  const pauses: number[] = [];
  let clock = 0;
  const watch = new RemoteTransitions(clientsOf(cluster), [], 0, {
    now: () => clock,
    pause: async (ms: number) => pauses.push(ms),
  });
  for (let i = 0; i < 10; i++) {
    await watch.look();
    await watch.changes();
  }
  expect(pauses.slice(0, 3)).toEqual([1000, 1250, 1562.5]);
  expect(pauses.at(-1)).toBe(5000);
  const slow = watch.look();
  clock = 9000;
  await slow;
  await watch.changes();
  expect(pauses.at(-1)).toBe(9000);
  watch.close();
  await watch.changes();
  expect(pauses).toHaveLength(11);
});

test('the transitions of the fixtures are those that this host gives', async () => {
  const all = makeWorkDir();
  onTestFinished(() => rmSync(all, { recursive: true, force: true }));
  const agents = await startCluster(
    agentsIn(all).map((id) => ({
      ...{ id, workDir: all },
      sandboxes: sandboxesIn(all, id).map((sandbox) => ({ ...sandbox, isRunning: false })),
    })),
  );
  onTestFinished(() => agents.close());
  const clocks = { now: Date.now, clock: () => performance.now() };
  const local = localTransitions({ 'mesos-root': [all] }, [], 0, clocks);
  onTestFinished(() => local.close());
  const here = await allOf(local);
  expect(here.length).toBeGreaterThan(1000);
  expect(await allOf(new RemoteTransitions(clientsOf(agents), [], 0, NOW))).toEqual(here);
});

/** All transitions there are, as documents without the agent: how many tasks a look reads is up to it. */
async function allOf(watch: TransitionWatch): Promise<string[]> {
  const documents: string[] = [];
  for (let more = true; more; ) {
    const look = await watch.look();
    ({ more } = look);
    for (const transition of look.transitions) {
      if (LINKED.test(transition.root.path)) continue;
      const { agent: _, ...event } = encodeEvent(transition);
      documents.push(`${event.root} ${event.task_id} ${JSON.stringify(event)}`);
    }
  }
  return documents.sort();
}
