import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.js';
import { ExactStarts } from '../../src/layout/starts.js';
import { isSameProcess, type RecordedRunner, runnerLiveness } from '../../src/task/liveness.js';
import { tempDir } from '../e2e/harness.js';
import { lockLine, type MadeUpProc, makeProc } from './trees.js';

let temp: { path: string; remove: () => void };
let stream: string;
beforeEach(() => {
  temp = tempDir();
  stream = join(temp.path, 'runner');
  writeFileSync(stream, '');
});
afterEach(() => temp.remove());

const BOOT = 1_399_000_000;
const NONE = () => new ExactStarts();

function host(made: MadeUpProc): Host {
  return Host.local({ proc: makeProc(join(temp.path, 'proc'), { bootTime: BOOT, ...made }), euid: 0 });
}

describe('runnerLiveness', () => {
  const recorded: RecordedRunner = { pid: 77, uid: 1000, timestampMs: (BOOT + 100) * 1000 };
  /** Started 100 seconds after the boot, when it was recorded. */
  const runner = { startTicks: 10_000, uid: 1000 };

  test('the lock decides, whatever pid was recorded', () => {
    const file = statSync(stream);
    const locked = host({ locks: lockLine(file, 5), processes: { 5: {} } });
    expect(runnerLiveness(locked, file, recorded, NONE)).toEqual({ alive: true, foreign: false });
    expect(runnerLiveness(locked, file, {}, NONE)).toEqual({ alive: true, foreign: false });
    const free = host({ locks: '', processes: { 77: runner } });
    expect(runnerLiveness(free, file, recorded, NONE)).toEqual({ alive: false, foreign: false });
  });

  test('a lock on another file is none', () => {
    const file = statSync(stream);
    const other = { dev: file.dev, ino: file.ino + 1 };
    expect(runnerLiveness(host({ locks: lockLine(other, 77) }), file, recorded, NONE).alive).toBe(false);
  });

  test('foreign: the holder knows itself by the recorded pid, in a namespace below ours', () => {
    const file = statSync(stream);
    const inside = host({ locks: lockLine(file, 5), processes: { 5: { nsPid: [5, 77] } } });
    expect(runnerLiveness(inside, file, recorded, NONE)).toEqual({ alive: true, foreign: true, holder: 5 });
    const same = host({ locks: lockLine(file, 77), processes: { 77: { nsPid: [77] } } });
    expect(runnerLiveness(same, file, recorded, NONE)).toEqual({ alive: true, foreign: false });
    const elsewhere = host({ locks: lockLine(file, 5), processes: { 5: { nsPid: [5, 9] } } });
    expect(runnerLiveness(elsewhere, file, recorded, NONE)).toEqual({ alive: true, foreign: false });
    const gone = host({ locks: lockLine(file, 5) });
    expect(runnerLiveness(gone, file, recorded, NONE)).toEqual({ alive: true, foreign: false });
  });

  test.each<[string, MadeUpProc['processes'], RecordedRunner, boolean | null]>([
    ['the recorded one', { 77: runner }, recorded, true],
    ['gone', {}, recorded, false],
    ['a zombie', { 77: { ...runner, state: 'Z' } }, recorded, false],
    [
      'started after the record: the pid was given to another',
      { 77: { ...runner, startTicks: 11_001 } },
      recorded,
      false,
    ],
    ['started within the tolerance', { 77: { ...runner, startTicks: 11_000 } }, recorded, true],
    ['of another user', { 77: { ...runner, uid: 1 } }, recorded, false],
    ['no user recorded', { 77: { ...runner, uid: 1 } }, { ...recorded, uid: undefined }, true],
    [
      'no time recorded',
      { 77: { ...runner, startTicks: 1e9 } },
      { ...recorded, timestampMs: undefined },
      true,
    ],
    ['no pid recorded', { 77: runner }, { ...recorded, pid: undefined }, null],
    ['a pid that is none', { 77: runner }, { ...recorded, pid: -77 }, false],
  ])('where locks cannot be seen: %s', (_what, processes, given, alive) => {
    for (const made of [{}, { locks: '', namespace: 'other' as const }]) {
      const seen = host({ processes, ...made });
      expect(runnerLiveness(seen, statSync(stream), given, NONE)).toEqual({ alive, foreign: false });
    }
  });
});

test('where locks cannot be seen, the exact start of the runner decides if it was kept', () => {
  const recorded = { pid: 77, uid: 1000, timestampMs: (BOOT + 100) * 1000 };
  const alive = (startTicks: number, isOfThisBoot = true) => {
    const starts = new ExactStarts(isOfThisBoot);
    starts.add({ pid: 77, ticks: 20_000 });
    const seen = host({ processes: { 77: { startTicks, uid: 1000 } } });
    return runnerLiveness(seen, statSync(stream), recorded, () => starts).alive;
  };
  expect([alive(20_000), alive(10_000), alive(20_000, false)]).toEqual([true, false, false]);
});

describe('isSameProcess', () => {
  const start = BOOT + 50.25;
  const running = { startTicks: 5025, uid: 1000 };

  test.each<[string, NonNullable<MadeUpProc['processes']>[number] | undefined, number, number, boolean]>([
    ['it', running, start, 1000, true],
    ['ten seconds too late', { ...running, startTicks: 6025 }, start, 1000, false],
    ['nearly ten seconds too late', { ...running, startTicks: 6024 }, start, 1000, true],
    ['ten seconds too early', { ...running, startTicks: 4025 }, start, 1000, false],
    ['dead', { ...running, state: 'Z' }, start, 1000, false],
    ['gone', undefined, start, 1000, false],
    ['another user', { ...running, uid: 1001 }, start, 1000, false],
    ['root recorded: it may have changed its user', { ...running, uid: 1001 }, start, 0, true],
    ['from before the boot', { ...running, startTicks: 0 }, BOOT - 11, 1000, false],
    ['not a number', running, Number.NaN, 1000, false],
    ['infinite', running, Number.POSITIVE_INFINITY, 1000, false],
    ['far away', running, 1e300, 1000, false],
  ])('%s', (_what, process, seconds, uid, expected) => {
    const seen = host({ processes: process === undefined ? {} : { 9: process } });
    expect(isSameProcess(seen, 9, seconds, uid, NONE)).toBe(expected);
  });

  const exactly = (ticks: number, seconds: number, isOfThisBoot = true) => {
    const starts = new ExactStarts(isOfThisBoot);
    starts.add({ pid: 9, time: seconds, ticks });
    return () => starts;
  };

  test.each([start, start - 3600, start + 3600, BOOT - 3600])(
    'the exact start decides if it was kept, whatever time was recorded: %d',
    (seconds) => {
      const seen = host({ processes: { 9: running } });
      expect(isSameProcess(seen, 9, seconds, 1000, exactly(5025, seconds))).toBe(true);
      expect(isSameProcess(seen, 9, seconds, 1000, exactly(5024, seconds))).toBe(false);
      expect(isSameProcess(seen, 9, seconds, 1000, exactly(5025, seconds, false))).toBe(false);
      expect(isSameProcess(seen, 9, seconds, 33, exactly(5025, seconds))).toBe(false);
    },
  );

  test('without a pid or a time nothing is known', () => {
    const seen = host({ processes: { 9: running } });
    expect(isSameProcess(seen, undefined, start, 1000, NONE)).toBe(false);
    expect(isSameProcess(seen, 9, undefined, 1000, NONE)).toBe(false);
    expect(isSameProcess(seen, 9, start, undefined, NONE)).toBe(true);
    expect(isSameProcess(seen, 0, start, 1000, NONE)).toBe(false);
    expect(isSameProcess(seen, -9, start, 1000, NONE)).toBe(false);
  });
});

describe('on this machine', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  test('a runner that holds the lock lives; when it lets go, it is dead', async () => {
    // The shell holds the lock itself, as a runner does, and so knows its pid.
    const child = spawn('sh', ['-c', 'exec 9>>"$0"; flock 9; echo $$; read x', stream], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    const recorded = { pid: Number(line), uid: process.getuid?.(), timestampMs: Date.now() };
    expect(runnerLiveness(Host.local(), statSync(stream), recorded, NONE)).toEqual({
      alive: true,
      foreign: false,
    });
    child.stdin?.end();
    await once(child, 'exit');
    expect(runnerLiveness(Host.local(), statSync(stream), recorded, NONE)).toEqual({
      alive: false,
      foreign: false,
    });
  });

  test('a real process is itself, and no other', () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    children.push(child);
    const start = (Host.local().process(child.pid as number)?.startTimeMs as number) / 1000;
    const uid = process.getuid?.();
    expect(isSameProcess(Host.local(), child.pid, start, uid, NONE)).toBe(true);
    expect(isSameProcess(Host.local(), child.pid, start - 60, uid, NONE)).toBe(false);
    expect(isSameProcess(Host.local(), child.pid, start, (uid ?? 0) + 1, NONE)).toBe(false);
  });
});
