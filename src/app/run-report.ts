import type { Problem } from '../errors/problem.js';

/** The page of a task that runs. */
export interface RunPage {
  readonly root: string;
  readonly task_id: string;
  /** Absolute: where its files are written. */
  readonly directory: string;
}

/** A process that writes the page once. */
export interface PageProcess {
  /** Resolves when it has ended, to what went wrong if something did. */
  readonly ended: Promise<string | undefined>;
  /** Somebody waits for it now. */
  hurry(): void;
  /** Lets it go on by itself. */
  leave(): void;
}

/** Starts one. `last`: the task is over, and somebody waits for the page. */
export type StartPage = (page: RunPage, last: boolean) => PageProcess;

/** A page is written at most once in this time, and not in the first of it. */
const EVERY_MS = 1000;
/** The pause between two pages is this many times what the first one took: the processors are there for the task. */
const PAUSE = 10;
/** A person who waits for the end of the task waits for its last page, too, and must not think that it hangs. */
const LAST_MS = 10_000;

/**
 * Keeps the page of a running task up to date, by processes of their own that end when they have written it: the
 * runner only starts them. A failure is reported once, and changes nothing else.
 */
export class RunReport {
  readonly #page: RunPage;
  readonly #start: StartPage;
  readonly #now: () => number;
  readonly #lastMs: number;
  #writing: Promise<void> | undefined;
  #current: PageProcess | undefined;
  #isStale = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  #notBefore: number;
  #failure: string | undefined;

  /** `now`: milliseconds, from any fixed point. `lastMs`: the longest wait for the last page, which then goes on by itself. */
  constructor(page: RunPage, start: StartPage, now: () => number, lastMs: number = LAST_MS) {
    this.#page = page;
    this.#start = start;
    this.#now = now;
    this.#lastMs = lastMs;
    this.#notBefore = now() + EVERY_MS;
  }

  /** The task has changed. Takes no time worth mentioning. */
  changed(): void {
    this.#isStale = true;
    if (this.#isOver || this.#timer !== undefined || this.#writing !== undefined) return;
    const wait = Math.max(0, this.#notBefore - this.#now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, wait);
  }

  /** The task is over: writes the last page. Resolves to what went wrong since the beginning, if something did. */
  async end(): Promise<Problem[]> {
    this.close();
    let timer: NodeJS.Timeout | undefined;
    let isLate = false;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true;
        resolve();
      }, this.#lastMs);
    });
    this.#current?.hurry();
    await Promise.race([this.#writing, late]);
    if (!isLate) await Promise.race([this.#run(true), late]);
    clearTimeout(timer);
    if (isLate) {
      this.#current?.leave();
      this.#failure ??= `it was not written in ${this.#lastMs / 1000} s`;
    }
    return this.#failure === undefined ? [] : [notWritten(this.#page, this.#failure)];
  }

  /** Writes no page any more, except by `end`. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #write(): void {
    this.#isStale = false;
    this.#writing = this.#run(false).then(() => {
      this.#writing = undefined;
      if (this.#isStale) this.changed();
    });
  }

  async #run(last: boolean): Promise<void> {
    const startedAt = this.#now();
    const process = this.#start(this.#page, last);
    this.#current = process;
    const failure = await process.ended;
    this.#current = undefined;
    const endedAt = this.#now();
    this.#notBefore = Math.max(startedAt + EVERY_MS, endedAt + PAUSE * (endedAt - startedAt));
    if (failure !== undefined) this.#failure ??= failure;
    // What could not be written at first may be written now.
    else if (last) this.#failure = undefined;
  }
}

function notWritten({ task_id, directory }: RunPage, why: string): Problem {
  return {
    code: 'report-unwritable',
    severity: 'warning',
    message: `the page of ${task_id} is not written in ${directory}: ${why}`,
    path: directory,
    task_id,
  };
}
