import type { DiskPlaces, DiskSize } from './disk-measure.js';
import type { DiskAnswer, DiskRequest } from './disk-protocol.js';

/** A task whose disk is measured. */
export interface DiskTask extends DiskPlaces {
  /** Identifies the task among all. */
  readonly key: string;
}

/** What a task occupied when it was measured last. */
export interface MeasuredDisk extends DiskSize {
  /** Milliseconds since the epoch. */
  readonly asOfMs: number;
}

/** The thread that measures. */
export interface DiskThread {
  send(request: DiskRequest): void;
  /** Called with each answer; `broken` once, if the thread ended by itself. */
  listen(answered: (answer: DiskAnswer) => void, broken: () => void): void;
}

/** A task is measured again after this time. */
const DUE_MS = 10_000;

interface MeterEntry {
  last?: MeasuredDisk;
  /** When it was asked for, by the monotonic clock. */
  askedMs?: number;
  isAsked: boolean;
}

/** Measures the disks of tasks in a thread, one after the other, and keeps what it found. Never throws. */
export class DiskMeter {
  readonly #start: () => DiskThread;
  readonly #clock: () => { timeMs: number; atMs: number };
  readonly #entries = new Map<string, MeterEntry>();
  readonly #queue: DiskTask[] = [];
  #thread: DiskThread | undefined;
  #isBusy = false;
  #isBroken = false;

  /** `start` begins the thread, once something is to be measured. */
  constructor(start: () => DiskThread, clock: () => { timeMs: number; atMs: number }) {
    this.#start = start;
    this.#clock = clock;
  }

  /** What was measured last; begins another measurement if that is due, and does not wait for it. */
  of(task: DiskTask): MeasuredDisk | undefined {
    const entry = this.#entries.get(task.key) ?? { isAsked: false };
    this.#entries.set(task.key, entry);
    const isDue = entry.askedMs === undefined || this.#clock().atMs - entry.askedMs >= DUE_MS;
    if (!entry.isAsked && isDue && (task.sandbox ?? task.log_dir) !== undefined) {
      entry.isAsked = true;
      entry.askedMs = this.#clock().atMs;
      this.#queue.push(task);
      this.#next();
    }
    return entry.last;
  }

  /** Keeps nothing of other tasks: they are over. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#entries.keys()) if (!keys.has(key)) this.#entries.delete(key);
  }

  #next(): void {
    if (this.#isBusy || this.#isBroken) return;
    const task = this.#queue.shift();
    if (task === undefined) return;
    if (!this.#entries.has(task.key)) {
      this.#next();
      return;
    }
    this.#isBusy = true;
    const { key, sandbox, log_dir } = task;
    this.#running().send({ key, sandbox, log_dir });
  }

  #running(): DiskThread {
    if (this.#thread === undefined) {
      this.#thread = this.#start();
      this.#thread.listen(
        (answer) => this.#answered(answer),
        () => {
          this.#isBroken = true;
        },
      );
    }
    return this.#thread;
  }

  #answered({ key, size }: DiskAnswer): void {
    this.#isBusy = false;
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      const { timeMs, atMs } = this.#clock();
      entry.isAsked = false;
      entry.askedMs = atMs;
      entry.last = size && { ...size, asOfMs: timeMs };
    }
    this.#next();
  }
}
