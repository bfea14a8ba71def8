import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// @ts-expect-error: no types
import { checkForBrowsers, forBrowsers } from '../../../scripts/build/for-browsers.mjs';
import { localTasks } from '../../../src/app/local-tasks.js';
import { encodeInspect } from '../../../src/contracts/encode-task.js';
import type { InspectDocument } from '../../../src/contracts/task.js';
import { inspectTask } from '../../../src/logs/inspection.js';
import { LocalLogTree } from '../../../src/logs/local-log-tree.js';
import type { Fleet, FleetPorts, TaskRow } from '../../../src/report/viewer/fleet.js';
import type { remoteReport } from '../../../src/report/viewer/remote-report.js';
import { LINKED, makeWorkDir, withoutHost } from '../../agent/fixtures.js';
import { agentsIn, sandboxesIn } from '../../agent/sandboxes.js';
import { type Cluster, startCluster } from '../../agent/serve.js';
import { REPOSITORY } from '../../e2e/harness.js';
import { loadScript } from './load.js';

/** What the viewer is made of, as a browser has it: without anything of Node. */
interface Viewer {
  Fleet: new (ports: FleetPorts) => Fleet;
  remoteReport: typeof remoteReport;
}

async function viewerForBrowsers(): Promise<Viewer> {
  const { outputFiles, metafile } = await build({
    ...forBrowsers,
    absWorkingDir: REPOSITORY,
    stdin: {
      contents: "export { Fleet } from './fleet.js'; export { remoteReport } from './remote-report.js';",
      resolveDir: join(REPOSITORY, 'src/report/viewer'),
    },
    globalName: 'viewer',
  });
  checkForBrowsers(metafile);
  const context = createContext({ TextDecoder, TextEncoder });
  return runInContext(`${outputFiles?.[0]?.text}; viewer`, context) as Viewer;
}

const NOW = Date.UTC(2026, 0, 1);

let workDir: string;
let cluster: Cluster;
let rows: ReadonlyMap<string, TaskRow>;
const local = new Map<string, InspectDocument>();
const remote = new Map<string, InspectDocument>();

beforeAll(async () => {
  workDir = makeWorkDir();
  const gatherer = localTasks({ 'mesos-root': [workDir] });
  for (const found of await gatherer.all()) {
    const view = await gatherer.source(found).read();
    const { logs, why, criticalPath } = await inspectTask(view, new LocalLogTree({ below: workDir }), NOW);
    local.set(`${found.root.path} ${found.task_id}`, encodeInspect(view, [...logs], [...why], criticalPath));
  }
  const agents = agentsIn(workDir).map((id) => {
    const sandboxes = sandboxesIn(workDir, id).map((sandbox) => ({ ...sandbox, isRunning: false }));
    return { id, workDir, sandboxes };
  });
  cluster = await startCluster(agents);
  const viewer = await viewerForBrowsers();
  const fleet = new viewer.Fleet({
    loadFrom: () => loadScript,
    changed: () => {},
    pause: () => Promise.resolve(),
  });
  for (const agent of cluster.agents) fleet.add(cluster.urlOf(agent));
  await fleet.round();
  rows = new Map(fleet.tasks.map((row) => [`${row.run.directory}/checkpoints ${row.task_id}`, row]));
  for (const [place, row] of rows) {
    const read = await fleet.source(row).read();
    if (read === undefined) continue;
    const options = { now: NOW, madeBy: 'thermos', agent: 'http://agent:5051' };
    remote.set(place, (await viewer.remoteReport(read.view, read.sandbox, options)).task);
  }
});
afterAll(async () => {
  await cluster?.close();
  rmSync(workDir, { recursive: true, force: true });
});

describe('the tasks of the fixtures, read from agents by the program for browsers', () => {
  test('are all there', () => {
    expect(local.size).toBeGreaterThan(150);
    expect([...rows.keys()].sort()).toEqual([...local.keys()].sort());
  });

  test('have the states that inspect --json has for them', () => {
    const states = (all: Iterable<readonly [string, { state: unknown; phase: unknown } | undefined]>) =>
      Object.fromEntries(
        [...all]
          .filter(([place]) => !LINKED.test(place))
          .map(([place, view]) => [place, `${view?.state} ${view?.phase}`]),
      );
    expect(states([...rows].map(([place, { view }]) => [place, view]))).toEqual(states(local));
  });

  test('have the documents that inspect --json has for them, except what only their host knows', () => {
    for (const [place, document] of local) {
      if (LINKED.test(place)) continue;
      expect(withoutHost(remote.get(place) as InspectDocument), place).toEqual(withoutHost(document));
    }
  });
});
