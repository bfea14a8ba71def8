import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Host } from '../../src/host/host.js';
import type { ProcessRow } from '../../src/host/process-table.js';
import { parseStarts } from '../../src/layout/starts.js';
import type { Run } from '../../src/runner/progress.js';
import { RunnerRoot } from '../../src/runner/runner-root.js';
import { StartKeeper } from '../../src/runner/start-keeper.js';
import { tempDir } from '../e2e/harness.js';
import { writeTask } from '../task/trees.js';

let temp: ReturnType<typeof tempDir>;
let path: string;
let root: RunnerRoot;
/** The made-up processes: parent and start. */
let alive: Map<number, readonly [number, number]>;
beforeEach(() => {
  temp = tempDir();
  path = join(writeTask(temp.path, 't'), 'starts');
  root = new RunnerRoot({ root: temp.path, taskId: 't' });
  alive = new Map([[process.pid, [1, 5]]]);
});
afterEach(() => {
  root.close();
  temp.remove();
});

const keeperOf = () =>
  new StartKeeper(root, process.getuid?.(), (pid) => {
    const found = alive.get(pid);
    if (found === undefined) return undefined;
    const [parent, startTimeTicks] = found;
    return { pid, parent, session: pid, state: 'S', startTimeTicks, uid: 0 } satisfies ProcessRow;
  });
const kept = () => parseStarts(readFileSync(path, 'utf8'), Host.local().bootId());
const RUN: Run = {
  process: 'p',
  index: 0,
  seq: 2,
  at: 4,
  state: 'RUNNING',
  coordinator_pid: 100,
  fork_time: 1000.5,
  pid: 101,
  start_time: 1000.75,
};

test('nothing is kept before the task is on disk; then what is alive is, also by the next runner', () => {
  const keeper = keeperOf();
  alive.set(100, [process.pid, 10]);
  keeper.forked(100, 1000.5);
  expect(existsSync(path)).toBe(false);
  keeper.begin();
  keeper.close();
  expect(kept().all()).toEqual([
    { pid: 100, time: 1000.5, ticks: 10 },
    { pid: process.pid, time: undefined, ticks: 5 },
  ]);
  alive.delete(100);
  alive.set(process.pid, [1, 6]);
  const next = keeperOf();
  expect(next.of(100, 1000.5)).toBe(10);
  next.begin();
  next.close();
  expect(kept().all()).toEqual([{ pid: process.pid, time: undefined, ticks: 6 }]);
});

test('a command is known as the child of its coordinator, and only while that is the recorded one', () => {
  const keeper = keeperOf();
  keeper.begin();
  alive.set(100, [process.pid, 10]).set(101, [100, 11]);
  keeper.running(RUN);
  expect(keeper.of(101, 1000.75)).toBeUndefined();
  keeper.forked(100, 1000.5);
  for (const [parent, coordinator] of [
    [1, 10],
    [100, 99],
  ] as const) {
    alive.set(100, [process.pid, coordinator]).set(101, [parent, 11]);
    keeper.running(RUN);
    expect(keeper.of(101, 1000.75)).toBeUndefined();
  }
  alive.set(100, [process.pid, 10]).set(101, [100, 11]);
  keeper.running({ ...RUN, state: 'SUCCESS' });
  expect(kept().of(101, 1000.75)).toBeUndefined();
  keeper.running(RUN);
  expect(kept().of(101, 1000.75)).toBe(11);
  keeper.close();
});

test('the file does not grow with the runs of a task', () => {
  const keeper = keeperOf();
  keeper.begin();
  for (let run = 0; run < 20_000; run++) {
    alive.set(100, [process.pid, run]);
    keeper.forked(100, 1000.5 + run);
  }
  keeper.close();
  expect(statSync(path).size).toBeLessThan(512 * 1024);
  expect(kept().of(100, 1000.5 + 19_999)).toBe(19_999);
  expect(kept().of(process.pid)).toBe(5);
});

test('what could not be kept is kept as soon as it can be', () => {
  const keeper = keeperOf();
  mkdirSync(path);
  keeper.begin();
  alive.set(100, [process.pid, 10]).set(200, [process.pid, 20]);
  keeper.forked(100, 1000.5);
  expect([keeper.of(100, 1000.5), statSync(path).isDirectory()]).toEqual([10, true]);
  rmdirSync(path);
  keeper.forked(200, 2000.5);
  keeper.close();
  expect([kept().of(100, 1000.5), kept().of(200, 2000.5)]).toEqual([10, 20]);
});
