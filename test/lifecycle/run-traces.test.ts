import { expect, test } from 'vitest';
import { ExactStarts } from '../../src/layout/starts.js';
import { RunTraces, sinceBoot, withStarts } from '../../src/lifecycle/run-traces.js';
import { Records } from '../task/trees.js';

const BOOT = 1_700_000_000;

function traces(records: Records) {
  const gathered = new RunTraces();
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
  const runs = traces(new Records().process('a', 'WAITING', forked(-60, 10), running(-59, 11), 'FAILED'));
  expect(sinceBoot(runs, new ExactStarts(), BOOT * 1000)).toEqual([]);
});

test('a run of this boot is one, and one of an earlier boot is none, whatever the clock says', () => {
  const runs = traces(
    new Records()
      .process('set-forward', 'WAITING', forked(-3600, 10), running(-3599, 11))
      .process('of-another-program', 'WAITING', forked(60, 20), running(60, 21)),
  );
  const thisBoot = new ExactStarts();
  const earlier = new ExactStarts(false);
  for (const starts of [thisBoot, earlier]) {
    starts.add({ pid: 10, time: BOOT - 3600, ticks: 5 });
    starts.add({ pid: 11, time: BOOT - 3599, ticks: 6 });
  }
  expect(sinceBoot(runs, thisBoot, BOOT * 1000)).toEqual(runs);
  expect(withStarts(runs, thisBoot)).toEqual([
    { ...runs[0], coordinatorTicks: 5, ticks: 6 },
    { ...runs[1], coordinatorTicks: undefined, ticks: undefined },
  ]);
  earlier.add({ pid: 20, time: BOOT + 60, ticks: 7 });
  expect(sinceBoot(runs, earlier, BOOT * 1000)).toEqual([]);
  expect(withStarts(runs, earlier)).toEqual([]);
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
