import type { Ora } from 'ora';
import { type Advance, NO_PROGRESS, type Progress } from '../app/progress.js';
import { errnoOf } from '../errors/errors.js';
import { isIgnored, onSignal } from '../host/ignored-signals.js';
import { pause } from '../host/pause.js';
import { visible } from '../text/escape.js';
import { shorten } from '../text/width.js';
import type { Terminal } from './terminal.js';

/** Work that ends sooner shows no progress. */
const DELAY_MS = 1000;
/** The time between two frames. */
const EVERY_MS = 100;

/** Progress on stderr: a spinner with a line of text. Nothing if stderr is not a terminal, and nothing with JSON. */
export function progressOn(terminal: Terminal, { json = false } = {}): Progress {
  const isSeen = terminal.stderrIsTerminal && !terminal.isDumb && !json;
  return isSeen ? new Spinner(terminal) : NO_PROGRESS;
}

const CLEAR_LINE = '\r\u001b[K';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The global name under which a script finds what it calls. */
const WORK = Symbol.for('thermos.work');

/**
 * Calls a function that SIGINT ends at once, wherever it is and without its `finally` blocks, as if the program ended:
 * listeners for the signal would not be called before the function returns. Throws `isInterrupt` then.
 */
function interruptible<Result>(work: () => Result): Result {
  const { runInThisContext }: typeof import('node:vm') = require('node:vm');
  const shared = globalThis as { [WORK]?: () => Result };
  shared[WORK] = work;
  try {
    return runInThisContext(`globalThis[Symbol.for('thermos.work')]()`, {
      breakOnSigint: !isIgnored('SIGINT'),
      displayErrors: false,
    });
  } finally {
    delete shared[WORK];
  }
}

function isInterrupt(error: unknown): boolean {
  return errnoOf(error) === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
}

/**
 * ora draws it, but at our times: work that blocks the event loop draws when it calls `update`. Two features of ora are
 * off. It does not hide the cursor, so that no exit leaves a terminal without one; to restore it, ora would handle
 * signals, and then Ctrl-C would not end work that blocks. And it does not read stdin, which takes the answers to
 * questions.
 */
class Spinner implements Progress {
  readonly #terminal: Terminal;
  #what = '';
  #advance: Advance | undefined;
  #ora: Ora | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When `update` draws next, by performance.now(). */
  #due = Number.POSITIVE_INFINITY;
  readonly #onSignal = (signal: NodeJS.Signals) => this.#end(signal);

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  start(what: string): void {
    this.#what = what;
    this.#advance = undefined;
    if (this.#timer !== undefined) return;
    this.#due = performance.now() + DELAY_MS;
    this.#timer = setTimeout(() => this.#spin(), DELAY_MS);
    this.#timer.unref();
  }

  update(advance: Advance): void {
    this.#advance = advance;
    if (performance.now() >= this.#due) this.#draw();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    this.#terminal.beforeWriting = undefined;
    this.#ora?.clear();
    this.#ora = undefined;
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  during<Result>(what: string, work: () => Result): Result {
    this.start(what);
    try {
      return interruptible(work);
    } catch (error) {
      if (!isInterrupt(error)) throw error;
      // The interrupt may have come while ora drew, and then ora does not know that there is a line to clear.
      if (this.#ora !== undefined) this.#terminal.writeError(CLEAR_LINE);
      this.#end('SIGINT');
      // Another thread may get the signal, a moment later.
      pause(1000);
      throw error;
    } finally {
      this.stop();
    }
  }

  #spin(): void {
    for (const signal of SIGNALS) onSignal(signal, this.#onSignal);
    this.#timer = setInterval(() => this.#draw(), EVERY_MS);
    this.#timer.unref();
    this.#draw();
  }

  #draw(): void {
    this.#due = performance.now() + EVERY_MS;
    const { columns } = process.stderr;
    // Without columns, ora counts a line as infinitely many.
    if (!(columns > 0)) return;
    this.#ora ??= this.#makeOra();
    const { unicode } = this.#terminal.style(2);
    this.#ora.text = shorten(visible(this.#text()), Math.max(1, columns - 3), 'end', unicode ? '…' : '...');
    this.#ora.render();
  }

  #makeOra(): Ora {
    const { default: ora }: typeof import('ora') = require('ora');
    const { paint, unicode } = this.#terminal.style(2);
    const spinner = unicode ? 'dots' : 'line';
    const drawn = ora({ isEnabled: true, color: false, spinner, hideCursor: false, discardStdin: false });
    // ora's own colour follows stdout, and ignores NO_COLOR.
    const { frames, interval } = drawn.spinner;
    drawn.spinner = { frames: frames.map((frame) => paint.cyan(frame)), interval };
    this.#terminal.beforeWriting = () => drawn.clear();
    return drawn;
  }

  /** `removing: 12 of 1,300 tasks`. */
  #text(): string {
    if (this.#advance === undefined) return this.#what;
    const { done, total, what } = this.#advance;
    const of = total === undefined ? '' : ` of ${shownCount(total)}`;
    return `${this.#what}: ${shownCount(done)}${of} ${what}`;
  }

  /** A signal without another listener ends the program, as it would without the spinner. */
  #end(signal: NodeJS.Signals): void {
    this.stop();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  }
}

/** `1,000`. */
function shownCount(count: number): string {
  return count.toLocaleString('en-US');
}
