import type { ContainerReading } from '../top/containers.js';
import { type Fields, isFields, MOST, textOf } from './answers.js';

/** What an agent says that its containers use, by the two calls that there are. */
export interface Statistics {
  readonly containers: readonly ContainerReading[];
  /** How many were left out, because there are too many. */
  readonly leftOut: number;
}

/** Seconds: more than 30,000 years. */
const MOST_SECONDS = 1e12;

/** Undefined if the answer is not one of `/containers` or `/monitor/statistics`. Pure. */
export function parseStatistics(answer: unknown): Statistics | undefined {
  if (!Array.isArray(answer)) return undefined;
  const rows = answer.slice(0, MOST.executors);
  const containers = rows.map((row) => (isFields(row) ? readingOf(row) : undefined));
  return {
    containers: containers.filter((reading) => reading !== undefined),
    leftOut: answer.length - rows.length,
  };
}

function readingOf(row: Fields): ContainerReading | undefined {
  const { statistics: given } = row;
  const executorId = textOf(row.executor_id);
  // Until it was read once, a container has none.
  if (executorId === '' || (given !== undefined && given !== null && !isFields(given))) return undefined;
  const statistics = given ?? {};
  const seconds = (name: string) => numberOf(statistics[name], MOST_SECONDS);
  const count = (name: string) => whole(numberOf(statistics[name], Number.MAX_SAFE_INTEGER));
  const [user, system] = [seconds('cpus_user_time_secs'), seconds('cpus_system_time_secs')];
  return {
    frameworkId: textOf(row.framework_id),
    executorId,
    containerId: textOf(row.container_id) || undefined,
    timestamp: seconds('timestamp'),
    cpuSeconds: user === undefined || system === undefined ? undefined : user + system,
    rssBytes: count('mem_rss_bytes'),
    threads: count('threads'),
    processes: count('processes'),
    diskBytes: count('disk_used_bytes'),
    throttledSeconds: seconds('cpus_throttled_time_secs'),
    periods: count('cpus_nr_periods'),
    throttledPeriods: count('cpus_nr_throttled'),
    limits: {
      cpu: numberOf(statistics.cpus_limit, MOST_SECONDS),
      memoryBytes: count('mem_limit_bytes'),
      diskBytes: count('disk_limit_bytes'),
    },
  };
}

function numberOf(value: unknown, most: number): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= most ? value : undefined;
}

function whole(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}
