import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AgentClient, httpClient } from '../../src/agent/client.js';
import { AgentFailure } from '../../src/agent/failure.js';
import { AgentTasks } from '../../src/agent/gatherer.js';
import { PlacedAgent } from '../../src/agent/placed-agent.js';
import { SandboxLogs } from '../../src/agent/sandbox.js';
import { localTasks } from '../../src/app/local-tasks.js';
import { checkpointNamed, type Replayed, readCheckpoint } from '../../src/app/read-checkpoint.js';
import { readRemote } from '../../src/app/read-remote.js';
import { encodeRead } from '../../src/contracts/encode.js';
import { encodeInspect, encodeTask } from '../../src/contracts/encode-task.js';
import type { InspectDocument, TaskDocument } from '../../src/contracts/task.js';
import { RUNNER } from '../../src/layout/task-paths.js';
import { inspectTask } from '../../src/logs/inspection.js';
import { LocalLogTree } from '../../src/logs/local-log-tree.js';
import type { LogsOf } from '../../src/logs/log-tree.js';
import { eachView, type TaskGatherer } from '../../src/task/gatherer.js';
import type { TaskView } from '../../src/task/view.js';
import type { Agent } from './agent.js';
import { LINKED, makeWorkDir, withoutHost } from './fixtures.js';
import { agentsIn, type Sandbox, sandboxesIn } from './sandboxes.js';
import { type Cluster, startCluster } from './serve.js';

const NOW = Date.UTC(2026, 0, 1);

let workDir: string;
let local: TaskGatherer;
const http = httpClient({});
const clusters: Cluster[] = [];
beforeAll(() => {
  workDir = makeWorkDir();
  local = localTasks({ 'mesos-root': [workDir] });
});
afterAll(async () => {
  http.close();
  for (const { close } of clusters) await close();
  rmSync(workDir, { recursive: true, force: true });
});

async function startAgents(version: string): Promise<AgentTasks> {
  const agents = agentsIn(workDir).map((id) => {
    const sandboxes = sandboxesIn(workDir, id).map((sandbox) => ({ ...sandbox, isRunning: false }));
    return { id, workDir, version, sandboxes };
  });
  const cluster = await startCluster(agents);
  clusters.push(cluster);
  const clients = cluster.agents.map((agent) => new AgentClient(cluster.urlOf(agent), http, Date.now));
  return new AgentTasks(clients, Date.now);
}

async function statuses(gatherer: TaskGatherer): Promise<Map<string, TaskDocument>> {
  const { selected, problems } = await gatherer.find([], 'look');
  expect(problems).toEqual([]);
  const documents = new Map<string, TaskDocument>();
  for await (const view of gatherer.views(selected))
    documents.set(`${view.root.path} ${view.task_id}`, encodeTask(view));
  return documents;
}

async function inspections(gatherer: TaskGatherer, logsOf: LogsOf): Promise<Map<string, InspectDocument>> {
  const documents = new Map<string, InspectDocument>();
  for (const found of await gatherer.all()) {
    const view = await gatherer.source(found).read();
    const { logs, why, criticalPath } = await inspectTask(view, logsOf(view), NOW);
    const document = encodeInspect(view, [...logs], [...why], criticalPath);
    documents.set(`${found.root.path} ${found.task_id}`, document);
  }
  return documents;
}

/** Without what says which agent it is of. */
function withoutAgent<T extends TaskDocument>({ agent: _, ...document }: T): T {
  const problems = document.problems.map(({ agent: _, hint: __, ...problem }) => problem);
  return { ...document, problems } as unknown as T;
}

function expectSame<T extends TaskDocument>(remote: ReadonlyMap<string, T>, here: ReadonlyMap<string, T>) {
  expect(here.size).toBeGreaterThan(150);
  expect([...remote.keys()]).toEqual([...here.keys()]);
  for (const [place, document] of here) {
    if (LINKED.test(place)) continue;
    const other = remote.get(place) as T;
    expect(withoutHost(withoutAgent(other)), place).toEqual(withoutHost(withoutAgent(document)));
  }
}

/** Of all tasks; computed once for all versions of the agents. */
const here = {
  statuses: once(() => statuses(local)),
  inspections: once(() => inspections(local, () => new LocalLogTree({ below: workDir }))),
  checkpoints: once(() => checkpoints(async (path) => readCheckpoint(checkpointNamed(path)))),
};

function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let computed: Promise<T> | undefined;
  return () => {
    computed ??= compute();
    return computed;
  };
}

/** What is read of the stream of each task, or the code of the error, by path. */
async function checkpoints(
  read: (path: string) => Promise<Replayed>,
  isAsked: (path: string) => boolean = () => true,
): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  for (const { checkpoint_dir } of await local.all()) {
    const path = `${checkpoint_dir}/${RUNNER}`;
    if (LINKED.test(path) || !isAsked(path)) continue;
    const told = read(path).then(
      ({ state, records, bytes, problems }) => encodeRead(state, records, bytes, problems),
      (error) => error.code,
    );
    all.set(path, await told);
  }
  return all;
}

describe.each(['0.20.0', '1.0.0', '1.11.0'])(
  'the tasks of the fixtures, from agents of Mesos %s',
  (version) => {
    let agents: AgentTasks;
    beforeAll(async () => {
      agents = await startAgents(version);
    });

    test('have the documents that status --json has for them, except what only their host knows', async () => {
      expectSame(await statuses(agents), await here.statuses());
    });

    test('have the documents that inspect --json has for them, except what only their host knows', async () => {
      const logsOf: LogsOf = (view) => new SandboxLogs(agents.sandboxOf(view));
      expectSame(await inspections(agents, logsOf), await here.inspections());
    });

    test('have the checkpoints that read --json has for them', async () => {
      // A version has forms of answers, not contents: each path asks every agent for its state.
      let count = 0;
      const isAsked = () => version === '1.11.0' || count++ % 8 === 0;
      const remote = await checkpoints((path) => readRemote(path, agents), isAsked);
      const expected = [...(await here.checkpoints())].filter(([path]) => remote.has(path));
      expect(remote.size).toBeGreaterThan(15);
      expect([...remote]).toEqual(expected);
    });
  },
);

/** Others between which names, forms or what is served differ. */
test.each(['0.24.0', '0.28.0', '1.1.0', '1.4.0', '1.7.0'])(
  'the tasks of the fixtures have the documents of status --json from agents of Mesos %s, too',
  async (version) => {
    expectSame(await statuses(await startAgents(version)), await here.statuses());
  },
);

/** One agent with one sandbox, which is where its stream says. */
async function startOne(isRunning: boolean): Promise<{ agent: Agent; agents: AgentTasks; path: string }> {
  const id = agentsIn(workDir).find((each) => each.startsWith('all-2015')) as string;
  const [only] = sandboxesIn(workDir, id) as [Sandbox];
  const { path, directory } = only;
  const stream = join(
    path,
    'checkpoints/checkpoints',
    readdirSync(join(path, 'checkpoints/checkpoints'))[0] as string,
    RUNNER,
  );
  const recorded =
    readCheckpoint(checkpointNamed(stream)).state.header?.sandbox?.replace(/\/sandbox$/, '') ?? directory;
  const cluster = await startCluster([
    { id, workDir, sandboxes: [{ ...only, directory: recorded, isRunning }] },
  ]);
  clusters.push(cluster);
  const [agent] = cluster.agents as [Agent];
  const agents = new AgentTasks([new AgentClient(cluster.urlOf(agent), http, Date.now)], Date.now);
  return { agent, agents, path };
}

const endpoints = ({ calls }: Agent) =>
  calls
    .splice(0)
    .map(({ endpoint }) => endpoint)
    .sort();
const LIST = '/files/browse';
const WHOLE = '/files/download';

test('a task that is alone in its sandbox takes four calls, and none once it is over', async () => {
  const { agent, agents } = await startOne(false);
  agents.board();
  expect((await statuses(agents)).size).toBe(1);
  expect(endpoints(agent)).toEqual([LIST, LIST, WHOLE, WHOLE, '/state']);
  expect((await statuses(agents)).size).toBe(1);
  expect(endpoints(agent)).toEqual(['/state']);
});

test('a sandbox with more than the task of its executor is listed whole', async () => {
  const id = agentsIn(workDir).find((each) => each.startsWith('all-2015')) as string;
  const [sandbox] = sandboxesIn(workDir, id) as [Sandbox];
  const finished = join(sandbox.path, 'checkpoints/tasks/finished');
  const task = readdirSync(finished)[0] as string;
  const other = join(finished, 'other');
  cpSync(join(finished, task), other);
  onTestFinished(() => rmSync(other));
  const cluster = await startCluster([{ id, workDir, sandboxes: [{ ...sandbox, isRunning: false }] }]);
  clusters.push(cluster);
  const [agent] = cluster.agents as [Agent];
  const agents = new AgentTasks([new AgentClient(cluster.urlOf(agent), http, Date.now)], Date.now);
  const ids = (await agents.all()).map(({ task_id }) => task_id);
  expect(ids.sort()).toEqual([task, 'other'].sort());
});

test('roots have one order, whatever the order in which an agent lists its executors', async () => {
  const id = agentsIn(workDir).find((each) => sandboxesIn(workDir, each).length > 2) as string;
  const sandboxes = sandboxesIn(workDir, id);
  const paths = await Promise.all(
    [sandboxes, sandboxes.toReversed()].map(async (listed) => {
      const cluster = await startCluster([{ id, workDir, sandboxes: listed }]);
      clusters.push(cluster);
      const [agent] = cluster.agents as [Agent];
      const agents = new AgentTasks([new AgentClient(cluster.urlOf(agent), http, Date.now)], Date.now);
      return (await agents.find([], 'look')).roots.map(({ path }) => path);
    }),
  );
  expect(paths[0]?.length).toBeGreaterThan(2);
  expect(paths[1]).toEqual(paths[0]);
});

test('tasks of an agent that is reached at its other address name that one', async () => {
  const id = agentsIn(workDir)[0] as string;
  const sandboxes = sandboxesIn(workDir, id).map((sandbox) => ({ ...sandbox, isRunning: false }));
  const cluster = await startCluster([{ id, workDir, sandboxes }]);
  clusters.push(cluster);
  const [agent] = cluster.agents as [Agent];
  const first = new AgentClient(cluster.urlOf(agent), http, Date.now);
  const second = new AgentClient(first.base.replace('127.0.0.1', 'localhost'), http, Date.now);
  const ports = [first, second] as const;
  const agents = new AgentTasks([new PlacedAgent(ports)], Date.now);
  agents.board();
  const looks = [];
  for (const isDown of [false, true]) {
    if (isDown) {
      first.state = async () => {
        throw new AgentFailure('unreachable', 'gone');
      };
    }
    const views: TaskView[] = [];
    await eachView(agents.views((await agents.find([], 'look')).selected), (view) => void views.push(view));
    looks.push([...new Set(views.map((view) => [view.root.agent?.url, agents.portOf(view).base].join()))]);
  }
  expect(looks).toEqual(ports.map(({ base }) => [`${base},${base}`]));
});
