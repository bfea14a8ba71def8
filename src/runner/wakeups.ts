import { futimesSync } from 'node:fs';
import { COORDINATOR_PREFIX } from '../layout/task-paths.js';
import { type NameWatcher, watchNames } from '../store/directory-watcher.js';

/** How old the stream may get while nothing happens; the same look finds what no event told. */
const TOUCH_MS = 10_000;
/** The longest that a timer waits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Calls {
  /** There may be something to do. */
  readonly step: () => void;
  /** The stream of this process may have grown. */
  readonly grown: (process: string) => void;
  /** Any stream may have grown. */
  readonly readAll: () => void;
}

/** When a runner looks after its task: soon, at a time, when a stream of a process grows, and from time to time. */
export class Wakeups {
  readonly #directory: string;
  readonly #stream: number;
  /** Milliseconds since the epoch. */
  readonly #now: () => number;
  readonly #calls: Calls;
  #watcher: NameWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #touch: NodeJS.Timeout | undefined;
  #isScheduled = false;
  #isClosed = false;

  /** `directory`: of the streams; `stream`: the task's own, which is kept young. */
  constructor(directory: string, stream: number, now: () => number, calls: Calls) {
    this.#directory = directory;
    this.#stream = stream;
    this.#now = now;
    this.#calls = calls;
  }

  /** From now on what happens to the streams counts. */
  watch(): void {
    this.#touch = setInterval(() => this.#readAll(), TOUCH_MS);
    try {
      this.#watcher = watchNames(this.#directory, (file) => {
        if (!file.startsWith(COORDINATOR_PREFIX)) return;
        this.#calls.grown(file.slice(COORDINATOR_PREFIX.length));
        this.soon();
      });
    } catch {
      // No watches are left on this machine: that coordinators end is seen all the same, and the rest in time.
    }
  }

  /** Once what waits in the event loop has been seen. */
  soon(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#calls.step();
    });
  }

  /** At a time in seconds since the epoch, instead of the one that was named before; undefined: at none. */
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
      // Nothing depends on it here; writing a record will tell.
    }
    this.#calls.readAll();
    this.soon();
  }
}
