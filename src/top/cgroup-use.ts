import type { CgroupReading } from './model.js';

/** What the cgroup of a task says of an interval. What cannot be known is undefined. */
export interface CgroupUse {
  /** Cores. */
  readonly cpu?: number;
  /** Of all processors together: it may be longer than the interval. */
  readonly throttledMs?: number;
  /** The part of the periods of its limit in which it reached the limit, from 0 to 1. */
  readonly throttledShare?: number;
  /** In the interval. */
  readonly oomKills?: number;
}

type CgroupCounters = Pick<
  CgroupReading,
  'cpuMs' | 'throttledMs' | 'periods' | 'throttledPeriods' | 'oomKills'
>;
type Identified = CgroupCounters & Pick<CgroupReading, 'identity'>;

/**
 * What happened between two readings. Nothing is ever negative: a counter that went back, and one of a cgroup that was
 * made again, says nothing. Pure.
 */
export function useBetween(
  before: Identified | undefined,
  after: Identified | undefined,
  intervalMs: number,
): CgroupUse {
  if (before === undefined || after === undefined || before.identity !== after.identity) return {};
  const cpuMs = grown(before.cpuMs, after.cpuMs);
  return {
    cpu: cpuMs === undefined || !(intervalMs > 0) ? undefined : cpuMs / intervalMs,
    throttledMs: grown(before.throttledMs, after.throttledMs),
    throttledShare: shareOf(
      grown(before.throttledPeriods, after.throttledPeriods),
      grown(before.periods, after.periods),
    ),
    oomKills: grown(before.oomKills, after.oomKills),
  };
}

/** What is known of the whole life of the cgroup: nothing, if others may have been in it before the task. Pure. */
export function useSinceMade(
  cgroup: (CgroupCounters & Pick<CgroupReading, 'isWhole'>) | undefined,
): Omit<CgroupUse, 'cpu'> {
  if (cgroup === undefined || !cgroup.isWhole) return {};
  const { throttledMs, oomKills, throttledPeriods, periods } = cgroup;
  return { throttledMs, oomKills, throttledShare: shareOf(throttledPeriods, periods) };
}

function grown(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined || after === undefined || !(after >= before)) return undefined;
  return after - before;
}

/** The two files are read at once, and still may not be of the same moment. */
function shareOf(part: number | undefined, whole: number | undefined): number | undefined {
  if (part === undefined || whole === undefined || whole === 0) return undefined;
  return Math.min(1, part / whole);
}
