import { appendFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Agent } from '../agent/agent.js';
import { launchTask } from '../agent/launch.js';
import { type Cluster, startCluster } from '../agent/serve.js';
import { Records } from '../task/trees.js';
import { placeForEach, watchThermos } from './harness.js';

/** 200 logs: `npm run test:many`. */
const isFull = process.env.THERMOS_TEST_MANY !== undefined;
const AGENTS = isFull ? 50 : 2;
const TASKS_EACH = isFull ? 4 : 3;
const ROUNDS = isFull ? 3 : 1;

const place = placeForEach();
let cluster: Cluster;
beforeEach(async () => {
  cluster = await startCluster(
    Array.from({ length: AGENTS }, (_, i) => ({
      id: `S${i}`,
      hostname: `agent-${i}`,
      workDir: join(place.path, 'mesos'),
    })),
  );
});
afterEach(() => cluster.close());

/** A log that a task of an agent writes; each of its lines has a number. */
class WrittenLog {
  readonly path: string;
  readonly id: string;
  readonly agent: Agent;
  lines = 0;

  constructor(agent: Agent, id: string) {
    const sandbox = join(
      agent.workDir,
      'slaves',
      agent.id,
      'frameworks/F/executors',
      `thermos-${id}`,
      'runs',
      id,
      'sandbox',
    );
    const runner = new Records()
      .header({
        task_id: id,
        launch_time_ms: 1_400_000_000_000,
        sandbox,
        hostname: agent.hostname,
        user: 'root',
      })
      .status('ACTIVE')
      .process('p', 'WAITING', 'FORKED', 'RUNNING');
    launchTask(agent, id, { runner });
    const directory = join(sandbox, '.logs/p/0');
    mkdirSync(directory, { recursive: true });
    this.path = join(directory, 'stdout');
    this.id = id;
    this.agent = agent;
    writeFileSync(this.path, this.next(1));
  }

  next(count: number): string {
    return Array.from({ length: count }, () => `of ${this.id}: ${this.lines++}\n`).join('');
  }

  /** Not whole lines, as a process writes what is in its buffer. */
  append(count: number, path = this.path): void {
    const text = this.next(count);
    const cut = Math.floor(text.length / 2);
    appendFileSync(path, text.slice(0, cut));
    appendFileSync(path, text.slice(cut));
  }

  /** By renaming: the process writes to the old file until it has the new one. */
  rotate(): void {
    for (const n of [2, 1])
      if (existsSync(`${this.path}.${n}`)) renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`);
    renameSync(this.path, `${this.path}.1`);
    this.append(2, `${this.path}.1`);
    writeFileSync(this.path, this.next(2));
  }
}

test('logs of many agents are followed at once: no line is lost or twice, over rotation and truncation', {
  timeout: 900_000,
}, async () => {
  const logs = cluster.agents.flatMap((agent) =>
    Array.from({ length: TASKS_EACH }, (_, i) => new WrittenLog(agent, `${agent.id}-${i}`)),
  );
  const agents = cluster.agents.flatMap((agent) => ['--agent', cluster.urlOf(agent)]);
  const tail = watchThermos(['tail', '--stdout', '--lines', 'all', ...agents, 'S*'], place.children);
  const allShown = () =>
    vi.waitFor(
      () => {
        for (const log of logs)
          expect(tail.stdout + tail.stderr).toContain(`of ${log.id}: ${log.lines - 1}\n`);
      },
      { timeout: 120_000, interval: 100 },
    );
  await allShown();
  const said = logs.map(({ id }) => `==> ${id}: ACTIVE <==`);
  for (let round = 0; round < ROUNDS; round++) {
    logs.forEach((log, i) => {
      log.append(20);
      if ((i + round) % 3 === 0) log.rotate();
    });
    await allShown();
    // What is cut off before anybody has read it is lost.
    logs.forEach((log, i) => {
      if ((i + round) % 3 !== 1) return;
      writeFileSync(log.path, log.next(1));
      said.push(`==> ${log.id} stdout of p, run 0, was truncated <==`);
    });
    await allShown();
  }
  for (const log of logs) log.agent.terminate(log.id);
  expect(await tail.ended).toBe(0);
  const shown = new Map<string, number[]>(logs.map(({ id }) => [id, []]));
  for (const [, id = '', line] of tail.stdout.matchAll(/of (S\d+-\d+): (\d+)$/gm))
    shown.get(id)?.push(Number(line));
  expect(Object.fromEntries(shown)).toEqual(
    Object.fromEntries(logs.map(({ id, lines }) => [id, Array.from({ length: lines }, (_, i) => i)])),
  );
  expect(tail.stderr.trim().split('\n').sort()).toEqual(said.sort());
});
