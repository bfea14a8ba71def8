import { readdirSync } from 'node:fs';
import { processFile } from './process-file.js';
import { type ProcessStat, parseProcessStat } from './process-stat.js';

/** A process as /proc showed it at one moment. */
export interface ProcessReading extends Readonly<ProcessStat> {
  /** When it was read, by the monotonic clock, in milliseconds. */
  readonly atMs: number;
}

/** All processes that /proc showed in one pass, zombies included: their times are not yet their parents'. */
export interface Reading {
  /** The time of day, in milliseconds since the epoch. It may be set at any time: nothing is computed from it. */
  readonly timeMs: number;
  /** The monotonic clock, in milliseconds, when the pass began. */
  readonly atMs: number;
  /** By pid in our namespace. */
  readonly processes: ReadonlyMap<number, ProcessReading>;
}

export interface Clocks {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The monotonic clock, in milliseconds. */
  readonly monotonic: () => number;
}

/** Where processes are, and how their files are read. */
export interface ProcessPlace {
  /** Default: `/proc`. */
  readonly proc?: string;
  /** As `processFile`, which is the default. */
  readonly read?: (path: string) => string | undefined;
}

/**
 * Reads all processes. Parents are read before their children as far as `before` knows them, so that the time of a child
 * that ends meanwhile is never counted twice, as its own and as its parent's. Throws the system error if the machine is
 * too short of something to know.
 */
export function readProcesses(
  clocks: Clocks,
  before?: Reading,
  { proc = '/proc', read = processFile }: ProcessPlace = {},
): Reading {
  const [timeMs, atMs] = [clocks.now(), clocks.monotonic()];
  const processes = new Map<number, ProcessReading>();
  for (const pid of inOrder(pidsIn(proc), before)) {
    const readMs = clocks.monotonic();
    const stat = parseProcessStat(read(`${proc}/${pid}/stat`) ?? '');
    if (stat !== undefined) processes.set(pid, Object.assign(stat, { atMs: readMs }));
  }
  return { timeMs, atMs, processes };
}

function pidsIn(proc: string): number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** By start, and those that are not known yet at last: a child starts after its parent. */
function inOrder(pids: readonly number[], before: Reading | undefined): readonly number[] {
  if (before === undefined) return pids;
  return pids
    .map((pid) => ({ pid, start: before.processes.get(pid)?.startTimeTicks ?? Number.MAX_VALUE }))
    .sort((a, b) => a.start - b.start || a.pid - b.pid)
    .map(({ pid }) => pid);
}
