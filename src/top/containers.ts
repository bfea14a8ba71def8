import type { Limits, ProcessSample, Sample, SampledTask, TaskSample } from './model.js';

/** What the container of an executor had used at one moment, as its agent says. What it does not say is undefined. */
export interface ContainerReading {
  readonly frameworkId: string;
  readonly executorId: string;
  /** Of agents from 1.0 on. */
  readonly containerId?: string;
  /** When it was read, in seconds by the clock of the agent. */
  readonly timestamp?: number;
  /** Processor time since it was started, of all its processes. */
  readonly cpuSeconds?: number;
  readonly rssBytes?: number;
  readonly threads?: number;
  readonly processes?: number;
  readonly diskBytes?: number;
  readonly throttledSeconds?: number;
  readonly periods?: number;
  readonly throttledPeriods?: number;
  readonly limits: Limits;
}

/** Tasks of agents, and what their containers had used, by the keys of the tasks. */
export interface ContainerMoment {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  /** Milliseconds from any point, which nobody sets. */
  readonly monotonicMs: number;
  readonly tasks: readonly SampledTask[];
  readonly readings: ReadonlyMap<string, ContainerReading>;
}

/** No machine has more. */
const MOST_CORES = 1_000_000;

/** What the containers of tasks have used between two moments; without the first, rates are not known. */
export class ContainerSampler {
  #last: ContainerMoment | undefined;
  /** By key: what the last two different readings of a container gave. */
  #rates = new Map<string, Rates>();

  sample(moment: ContainerMoment): Sample {
    const before = this.#last;
    const rates = new Map<string, Rates>();
    const tasks = moment.tasks.map((task): TaskSample => {
      const reading = moment.readings.get(task.key);
      const processes = processesOf(task);
      if (reading === undefined) return { task, processes };
      const last = before?.readings.get(task.key);
      // An agent may give a reading twice.
      const isSame = last?.timestamp !== undefined && last.timestamp === reading.timestamp;
      const found = isSame ? this.#rates.get(task.key) : ratesBetween(last, reading);
      if (found !== undefined) rates.set(task.key, found);
      return { task, processes, ...found, ...usageOf(reading, moment.timeMs) };
    });
    this.#last = moment;
    this.#rates = rates;
    const intervalMs = before === undefined ? 0 : Math.max(0, moment.monotonicMs - before.monotonicMs);
    return { timeMs: moment.timeMs, intervalMs, tasks };
  }
}

type Rates = Pick<TaskSample, 'cpu' | 'throttledMs' | 'throttledShare'>;

/** Over the time between the readings by the clock of the agent. Pure. */
export function ratesBetween(last: ContainerReading | undefined, now: ContainerReading): Rates | undefined {
  const seconds = grown(last?.timestamp, now.timestamp);
  // A container that was started again has used less than before.
  const used = grown(last?.cpuSeconds, now.cpuSeconds);
  if (seconds === undefined || seconds <= 0) return undefined;
  const cpu = used === undefined || used / seconds > MOST_CORES ? undefined : used / seconds;
  const throttled = grown(last?.throttledSeconds, now.throttledSeconds);
  const periods = grown(last?.periods, now.periods);
  const reached = grown(last?.throttledPeriods, now.throttledPeriods);
  return {
    cpu,
    throttledMs: throttled === undefined ? undefined : throttled * 1000,
    throttledShare: periods && reached !== undefined ? Math.min(1, reached / periods) : undefined,
  };
}

/** By how much a total has grown; undefined if it is not known, or has shrunk. */
function grown(before: number | undefined, now: number | undefined): number | undefined {
  return before === undefined || now === undefined || now < before ? undefined : now - before;
}

/** Which of them uses what, an agent does not know. */
function processesOf({ runs }: SampledTask): ProcessSample[] {
  return runs.map(({ process, run, pid }) => ({ process, run, pid }));
}

function usageOf(
  { rssBytes, threads, processes, diskBytes, limits, timestamp }: ContainerReading,
  timeMs: number,
): Partial<TaskSample> {
  const asOfMs = timestamp === undefined ? timeMs : Math.round(timestamp * 1000);
  const disk = diskBytes === undefined ? undefined : { bytes: diskBytes, asOfMs };
  return { rssBytes, threads, pids: processes, disk, limits };
}
