import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.js';
import { MaterialReader } from '../../src/task/material.js';
import { viewOf } from '../../src/task/view.js';
import { HAS_NATIVE, recordsOf, storyOf } from '../runner/harness.js';
import { foundTask } from '../task/trees.js';
import { PROGRAM, runToEnd } from './harness.js';
import { isAlive, RunPlace } from './run-task.js';

/** All of them take minutes: `npm run test:many`. */
const isFull = process.env.THERMOS_TEST_MANY !== undefined;
const MOST_AT_ONCE = 50;
const ONCE = ['0 WAITING', '1 FORKED', '2 RUNNING', '3 SUCCESS 0'];

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

const names = (count: number) => Array.from({ length: count }, (_, i) => `p${String(i).padStart(4, '0')}`);
const run = (kind: string, ...words: string[]) =>
  runToEnd(process.execPath, [PROGRAM, 'run', '--root', place.root, '--task-id', 't', ...words], {
    env: { THERMOS_COORDINATOR: kind },
  });

/** How many processes were started and had not ended, at most. */
function mostAtOnce(stream: string): number {
  const live = new Set<unknown>();
  let most = 0;
  for (const { type, value } of recordsOf(stream)) {
    if (type !== 'process_status') continue;
    if (value.state === 'FORKED') live.add(value.process);
    else if (value.state !== 'RUNNING') live.delete(value.process);
    most = Math.max(most, live.size);
  }
  return most;
}

describe.each([
  ...(HAS_NATIVE ? [['native', isFull ? [500, 2000] : [100]] as const] : []),
  ['js', isFull ? [500] : [20]] as const,
])('coordinators of kind %s', (kind, counts) => {
  test.each(counts)(
    '%i processes, fifty at a time: each runs once, and nothing is lost',
    { timeout: 1_200_000 },
    (count) => {
      const processes = names(count).map((name) => ({ name, cmdline: `echo ${name} >> ran` }));
      const config = place.config(processes, { max_concurrency: MOST_AT_ONCE });
      const { status, stdout } = run(kind, '--json', config);
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ state: 'SUCCESS', verdict: 'ok', problems: [] });
      expect(place.file('t', 'ran').trim().split('\n').sort()).toEqual(names(count));
      const stream = join(place.root, 'checkpoints/t/runner');
      const { task, processes: stories } = storyOf(recordsOf(stream));
      expect(task).toEqual(['ACTIVE', 'CLEANING', 'FINALIZING', 'SUCCESS']);
      expect(stories).toEqual(Object.fromEntries(names(count).map((name) => [name, ONCE])));
      expect(mostAtOnce(stream)).toBeLessThanOrEqual(MOST_AT_ONCE);
    },
  );
});

/** The proportional set size of a process, in MiB. */
function memoryOf(pid: number): number {
  const [, kib] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

test.runIf(HAS_NATIVE)(
  'the coordinators in C of 500 running processes take at most 60 MiB, and kill ends all',
  { timeout: 1_200_000 },
  async () => {
    const count = isFull ? 500 : 50;
    const config = place.config(names(count).map((name) => ({ name, cmdline: 'exec sleep 10000' })));
    expect(run('native', '--daemon', config).status).toBe(0);
    const view = () =>
      viewOf(new MaterialReader(foundTask(place.root, 't'), { history: false }).gather(Host.local()));
    for (const deadline = Date.now() + 600_000; ; ) {
      expect(Date.now()).toBeLessThan(deadline);
      const running = view().processes.filter(({ state }) => state === 'RUNNING');
      if (running.length === count) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const coordinators = view().processes.map(({ coordinator_pid }) => coordinator_pid as number);
    const memory = coordinators.reduce((sum, pid) => sum + memoryOf(pid), 0);
    if (isFull) console.info(`${count} coordinators: ${memory.toFixed(1)} MiB`);
    expect(memory / count).toBeLessThanOrEqual(60 / 500);
    expect(place.thermos('kill', '--now', '--yes', 't').status).toBe(0);
    expect(coordinators.filter(isAlive)).toEqual([]);
  },
);
