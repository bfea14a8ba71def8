import { mostOf, type Peak, Peaks } from './peaks.js';
import type { RecordedSample, RecordedUse, TaskOfSample } from './recorded.js';

/** What was used in all samples together, and its course; see `Peaks`. */
export interface UsageSummary {
  readonly samples: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Cores, over the time of the samples that know it. */
  readonly cpuMean?: number;
  readonly cpuMax?: number;
  readonly rssMaxBytes?: number;
  readonly diskMaxBytes?: number;
  readonly points: readonly Peak[];
  readonly stepMs: number;
}

export interface TaskHistory extends UsageSummary {
  /** As recorded last. */
  readonly asked: TaskOfSample['asked'];
  readonly processes: readonly (UsageSummary & { readonly process: string })[];
  /** How many samples are of processes that are not listed, because there are too many. */
  readonly left: number;
}

/** Which task it is. */
export type RecordedIdentity = Pick<TaskOfSample, 'task_id' | 'root' | 'launchTimeMs'>;

/** How much is kept. */
const MOST = {
  /** Tasks and processes together. */
  series: 20_000,
  processesOfTask: 100,
  pointsOfTask: 240,
  pointsOfProcess: 60,
};
/** How much clocks may differ: a sample from later than this was not taken. */
const FUTURE_MS = 60_000;

/** What a record has about each task, in bounded memory whatever the record holds. Without files. */
export class UsageHistory {
  readonly #tasks = new Map<string, TaskSeries>();
  #series = 0;
  #isFull = false;

  /** Something was left out, because it is of too many tasks or processes. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** `nowMs`: milliseconds since the epoch. False if the sample cannot have been taken. */
  add(sample: RecordedSample, nowMs: number): boolean {
    if (sample.timeMs > nowMs + FUTURE_MS) return false;
    for (const task of sample.tasks) {
      if (task.launchTimeMs !== undefined && task.launchTimeMs > sample.timeMs + FUTURE_MS) continue;
      this.#taskSeries(task)?.add(task, sample, () => this.#mayGrow());
    }
    return true;
  }

  of(task: RecordedIdentity): TaskHistory | undefined {
    return this.#tasks.get(keyOf(task))?.history();
  }

  #taskSeries(task: TaskOfSample): TaskSeries | undefined {
    const key = keyOf(task);
    let series = this.#tasks.get(key);
    if (series === undefined && this.#mayGrow()) {
      series = new TaskSeries();
      this.#tasks.set(key, series);
    }
    return series;
  }

  #mayGrow(): boolean {
    if (this.#series === MOST.series) this.#isFull = true;
    else this.#series += 1;
    return !this.#isFull;
  }
}

function keyOf({ root, task_id, launchTimeMs }: RecordedIdentity): string {
  return JSON.stringify([root, task_id, launchTimeMs]);
}

class Series {
  readonly #peaks: Peaks;
  #samples = 0;
  #fromMs = Number.POSITIVE_INFINITY;
  #toMs = 0;
  #cpuMs = 0;
  #knownMs = 0;
  #most: RecordedUse = {};

  constructor(points: number) {
    this.#peaks = new Peaks(points);
  }

  add(use: RecordedUse, { timeMs, intervalMs }: RecordedSample): void {
    const { cpu, rssBytes, diskBytes } = use;
    const peak = { fromMs: Math.max(0, timeMs - intervalMs), toMs: timeMs, cpu, rssBytes, diskBytes };
    this.#samples += 1;
    this.#fromMs = Math.min(this.#fromMs, peak.fromMs);
    this.#toMs = Math.max(this.#toMs, timeMs);
    if (cpu !== undefined) {
      this.#cpuMs += cpu * intervalMs;
      this.#knownMs += intervalMs;
    }
    this.#most = mostOf(this.#most, use);
    this.#peaks.add(peak);
  }

  summary(): UsageSummary {
    return {
      samples: this.#samples,
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      cpuMean: this.#knownMs === 0 ? undefined : this.#cpuMs / this.#knownMs,
      cpuMax: this.#most.cpu,
      rssMaxBytes: this.#most.rssBytes,
      diskMaxBytes: this.#most.diskBytes,
      points: this.#peaks.points(),
      stepMs: this.#peaks.stepMs,
    };
  }
}

class TaskSeries {
  readonly #own = new Series(MOST.pointsOfTask);
  readonly #processes = new Map<string, Series>();
  #asked: TaskOfSample['asked'] = {};
  #left = 0;

  add(task: TaskOfSample, sample: RecordedSample, mayGrow: () => boolean): void {
    this.#own.add(task, sample);
    this.#asked = task.asked;
    for (const { process, ...use } of task.processes) {
      let series = this.#processes.get(process);
      if (series === undefined && this.#processes.size < MOST.processesOfTask && mayGrow()) {
        series = new Series(MOST.pointsOfProcess);
        this.#processes.set(process, series);
      }
      if (series === undefined) this.#left += 1;
      else series.add(use, sample);
    }
  }

  history(): TaskHistory {
    return {
      ...this.#own.summary(),
      asked: this.#asked,
      processes: [...this.#processes].map(([process, series]) => ({ process, ...series.summary() })),
      left: this.#left,
    };
  }
}
