/** What a line of a record says. What is unknown is undefined, and never 0. */
export interface RecordedUse {
  /** Cores, over the interval. */
  readonly cpu?: number;
  readonly rssBytes?: number;
  readonly diskBytes?: number;
}

export interface TaskOfSample extends RecordedUse {
  readonly task_id: string;
  readonly root: string;
  /** Tells it from another task of that id. */
  readonly launchTimeMs?: number;
  /** Cores, bytes and bytes. */
  readonly asked: { readonly cpu?: number; readonly ram?: number; readonly disk?: number };
  readonly processes: readonly (RecordedUse & { readonly process: string })[];
}

export interface RecordedSample {
  /** The end of the interval, in milliseconds since the epoch. */
  readonly timeMs: number;
  readonly intervalMs: number;
  readonly tasks: readonly TaskOfSample[];
}

/** The last moment that JavaScript has a date for. */
const LAST_MS = 8.64e15;
/** A longer interval is none. */
const LONGEST_MS = 7 * 86_400_000;
/** No id, path or name is longer. */
const LONGEST_NAME = 4096;

/**
 * The sample in a line of `top --json`. Undefined if there is none. A number that cannot be true is taken for unknown,
 * and a task or process without a name is left out: anybody may have written the line. Pure.
 */
export function recordedSample(line: string): RecordedSample | undefined {
  const document = objectIn(line);
  if (document === undefined) return undefined;
  const { time_ms, interval_ms, tasks } = document;
  const [timeMs, intervalMs] = [numberOf(time_ms), numberOf(interval_ms)];
  if (timeMs === undefined || timeMs > LAST_MS || !Array.isArray(tasks)) return undefined;
  if (intervalMs === undefined || intervalMs === 0 || intervalMs > LONGEST_MS) return undefined;
  return { timeMs, intervalMs, tasks: tasks.map(taskOf).filter((task) => task !== undefined) };
}

function objectIn(line: string): Record<string, unknown> | undefined {
  try {
    return recordOf(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function taskOf(value: unknown): TaskOfSample | undefined {
  const task = recordOf(value);
  const [task_id, root] = [nameOf(task?.task_id), nameOf(task?.root)];
  if (task === undefined || task_id === undefined || root === undefined) return undefined;
  const processes = Array.isArray(task.processes) ? task.processes : [];
  return {
    task_id,
    root,
    launchTimeMs: numberOf(task.launch_time_ms),
    asked: {
      cpu: numberOf(task.cpu_asked),
      ram: numberOf(task.ram_asked_bytes),
      disk: numberOf(task.disk_asked_bytes),
    },
    ...useOf(task),
    processes: processes.map(processOf).filter((process) => process !== undefined),
  };
}

function processOf(value: unknown): TaskOfSample['processes'][number] | undefined {
  const entry = recordOf(value);
  const process = nameOf(entry?.process);
  return entry === undefined || process === undefined ? undefined : { process, ...useOf(entry) };
}

function useOf(entry: Record<string, unknown>): RecordedUse {
  return {
    cpu: numberOf(entry.cpu),
    rssBytes: numberOf(entry.rss_bytes),
    diskBytes: numberOf(entry.disk_bytes),
  };
}

function recordOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= LONGEST_NAME ? value : undefined;
}
