import { futimesSync } from 'node:fs';
import { COORDINATOR_PREFIX } from '../layout/task-paths.js';
import { type NameWatcher, watchNames } from '../store/directory-watcher.js';

/** How often to touch the idle stream; the same timer finds changes that caused no event. */
const TOUCH_MS = 10_000;
/** The maximum delay of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface WakeupCalls {
  /** There may be something to do. */
  readonly step: () => void;
  /** The stream of this process may have grown. */
  readonly grown: (process: string) => void;
  /** Any stream may have grown. */
  readonly readAll: () => void;
}

/** Schedules the steps of a runner: soon, at a given time, when a process's stream grows, and periodically. */
export class Wakeups {
  readonly #directory: string;
  readonly #stream: number;
  /** Milliseconds since the epoch. */
  readonly #now: () => number;
  readonly #calls: WakeupCalls;
  #watcher: NameWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #touch: NodeJS.Timeout | undefined;
  #isScheduled = false;
  #isClosed = false;

  /** `directory`: of the streams; `stream`: descriptor of the task's own, which is touched periodically. */
  constructor(directory: string, stream: number, now: () => number, calls: WakeupCalls) {
    this.#directory = directory;
    this.#stream = stream;
    this.#now = now;
    this.#calls = calls;
  }

  /** Starts to watch the streams. */
  watch(): void {
    this.#touch = setInterval(() => this.#readAll(), TOUCH_MS);
    try {
      this.#watcher = watchNames(this.#directory, (file) => {
        if (!file.startsWith(COORDINATOR_PREFIX)) return;
        this.#calls.grown(file.slice(COORDINATOR_PREFIX.length));
        this.soon();
      });
    } catch {
      // The machine has no watches left: ends of coordinators are still noticed, and the rest by the timer.
    }
  }

  /** Steps after the pending events of the event loop. */
  soon(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#calls.step();
    });
  }

  /** Steps at this time (seconds since the epoch) instead of the one set before; undefined: cancels that. */
  at(seconds: number | undefined): void {
    clearTimeout(this.#timer);
    if (seconds === undefined) return;
    const wait = Math.max(1, Math.ceil(seconds * 1000 - this.#now()));
    this.#timer = setTimeout(() => this.soon(), Math.min(wait, MAX_TIMER_MS));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#touch);
    this.#watcher?.close();
  }

  #readAll(): void {
    try {
      const now = this.#now() / 1000;
      futimesSync(this.#stream, now, now);
    } catch {
      // Ignored: a real failure shows when a record is written.
    }
    this.#calls.readAll();
    this.soon();
  }
}
