import { expect, test } from 'vitest';
import { RunTraces } from '../../src/lifecycle/run-traces.js';
import { Records } from '../task/trees.js';

const BOOT = 1_700_000_000;

function traces(records: Records) {
  const gathered = new RunTraces(BOOT * 1000);
  for (const record of records.records) gathered.add(record);
  return gathered.all();
}

const forked = (at: number, coordinator_pid: number) => ({
  state: 'FORKED' as const,
  fork_time: BOOT + at,
  coordinator_pid,
});
const running = (at: number, pid: number) => ({ state: 'RUNNING' as const, start_time: BOOT + at, pid });

test('each run that was forked, with its command if that was started', () => {
  const records = new Records()
    .process('a', 'WAITING', forked(1, 10), running(2, 11), 'FAILED', 'WAITING', forked(3, 20))
    .process('b', 'WAITING', forked(4, 30), running(5, 31))
    .process('c', 'WAITING');
  expect(traces(records)).toEqual([
    { process: 'a', coordinatorPid: 10, forkTime: BOOT + 1, pid: 11, startTime: BOOT + 2 },
    { process: 'a', coordinatorPid: 20, forkTime: BOOT + 3 },
    { process: 'b', coordinatorPid: 30, forkTime: BOOT + 4, pid: 31, startTime: BOOT + 5 },
  ]);
});

test('what ran before the boot left nothing', () => {
  const records = new Records().process('a', 'WAITING', forked(-60, 10), running(-59, 11), 'FAILED');
  expect(traces(records)).toEqual([]);
});

test('memory does not grow with the stream: a pid is that of the latest who had it', () => {
  const records = new Records();
  for (let i = 0; i < 1000; i++)
    records.process('a', 'WAITING', forked(i, 10 + (i % 3)), running(i, 50), 'FAILED');
  expect(
    traces(records)
      .map(({ forkTime }) => forkTime - BOOT)
      .sort(),
  ).toEqual([997, 998, 999]);
});
