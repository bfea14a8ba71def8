import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { describeErrno, errnoOf, SystemError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { pause } from '../host/pause.js';
import { type Palette, PLAIN } from '../views/parts/paint.js';
import type { Style } from '../views/parts/style.js';

export type { Style } from '../views/parts/style.js';

export interface ColourChoice {
  noColor?: boolean;
}

/**
 * The only access to the outside: both output streams, their terminals, the clock. Writes are synchronous, so
 * that a device error is thrown by the write that caused it, and nothing is lost at exit.
 */
export class Terminal {
  readonly #env: NodeJS.ProcessEnv;
  #choice: ColourChoice = {};
  #coloured: Palette | undefined;
  /** Clears what is drawn on the last line before something else is written. */
  beforeWriting: (() => void) | undefined;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#env = env;
  }

  set colourChoice(choice: ColourChoice) {
    this.#choice = choice;
  }

  get stdinIsTerminal(): boolean {
    return isTerminal(0);
  }

  get stdoutIsTerminal(): boolean {
    return isTerminal(1);
  }

  get stderrIsTerminal(): boolean {
    return isTerminal(2);
  }

  /** Somebody can answer a question. */
  get canAsk(): boolean {
    return isTerminal(0) && isTerminal(2);
  }

  /** Somebody can page through an answer. */
  get canPage(): boolean {
    return isTerminal(0) && isTerminal(1) && !this.isDumb;
  }

  /** The terminal cannot be drawn on. */
  get isDumb(): boolean {
    return this.#env.TERM === undefined || this.#env.TERM === 'dumb';
  }

  /** Loads chalk if one of the streams has colour. Until then, every style is plain. */
  async loadColours(): Promise<void> {
    if (this.#colour(this.stdoutIsTerminal) + this.#colour(this.stderrIsTerminal) === 0) return;
    const { colouredPalette } = await import('./palette.js');
    this.#coloured = colouredPalette();
  }

  /** Lines of the terminal on stdout. */
  get rows(): number {
    return process.stdout.rows || 24;
  }

  /** What the terminal on stdout has room for now, whatever COLUMNS says. */
  get size(): { columns: number; rows: number } {
    try {
      const [columns, rows] = process.stdout.getWindowSize();
      return { columns: columns || 80, rows: rows || 24 };
    } catch {
      return { columns: 80, rows: 24 };
    }
  }

  now(): number {
    return Date.now();
  }

  /** How to draw on stdout (1) or stderr (2). */
  style(fd: 1 | 2): Style {
    const tty = isTerminal(fd);
    const coloured = this.#colour(tty) === 0 ? PLAIN : (this.#coloured ?? PLAIN);
    const locale = this.#env.LC_ALL || this.#env.LC_CTYPE || this.#env.LANG || '';
    return {
      tty,
      width: tty ? this.#columns(fd) : undefined,
      height: tty ? (fd === 1 ? process.stdout : process.stderr).rows || 24 : undefined,
      colour: coloured === PLAIN ? 0 : 1,
      paint: coloured,
      unicode: /utf-?8/i.test(locale),
      now: this.now(),
    };
  }

  /** Clears what is drawn before another program writes to the terminal. */
  handOver(): void {
    this.beforeWriting?.();
  }

  /**
   * Writes to stdout. A closed pipe ends the program quietly with exit 0; a full device is an error with
   * code `output-failed`.
   */
  write(text: string | Uint8Array): void {
    this.beforeWriting?.();
    try {
      writeFully(1, text);
    } catch (error) {
      if (errnoOf(error) === 'EPIPE') process.exit(EXIT.ok);
      throw new SystemError(
        'output-failed',
        `cannot write to stdout: ${describeErrno(error)}`,
        undefined,
        error,
      );
    }
  }

  /** Writes to the terminal on stdout. Returns false if the terminal is gone. */
  draw(text: string): boolean {
    try {
      writeFully(1, text);
      return true;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return false;
    }
  }

  /**
   * True if nobody reads stdout any more, for example after the ssh session was closed: then waiting can stop.
   * The kernel reports this for sockets and named pipes; for other pipes only a write shows it.
   */
  isClosed(): boolean {
    try {
      const stat = fstatSync(1);
      if (stat.isFIFO()) closeSync(openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK));
      else if (stat.isSocket()) writeSync(1, '');
      return false;
    } catch (error) {
      return errnoOf(error) === 'ENXIO' || errnoOf(error) === 'EPIPE';
    }
  }

  /** Writes to stderr. A failure is ignored: there is nowhere to report it. */
  writeError(text: string | Uint8Array): void {
    this.beforeWriting?.();
    try {
      writeFully(2, text);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
    }
  }

  #colour(tty: boolean): 0 | 1 {
    const { NO_COLOR, FORCE_COLOR, TERM } = this.#env;
    if (this.#choice.noColor) return 0;
    if (NO_COLOR !== undefined && NO_COLOR !== '') return 0;
    if (FORCE_COLOR !== undefined && FORCE_COLOR !== '')
      return FORCE_COLOR === '0' || FORCE_COLOR === 'false' ? 0 : 1;
    return tty && TERM !== 'dumb' ? 1 : 0;
  }

  #columns(fd: 1 | 2): number {
    const fromEnv = Number(this.#env.COLUMNS);
    if (Number.isInteger(fromEnv) && fromEnv > 0) return fromEnv;
    const stream = fd === 1 ? process.stdout : process.stderr;
    return stream.columns || 80;
  }
}

/** Only a character device can be a terminal; `node:tty` is loaded only for those, because it loads all of `net`. */
function isTerminal(fd: 0 | 1 | 2): boolean {
  try {
    if (!fstatSync(fd).isCharacterDevice()) return false;
  } catch {
    return false;
  }
  const tty: typeof import('node:tty') = require('node:tty');
  return tty.isatty(fd);
}

/** A part of Node's streams that its types do not declare. */
interface BlockableStream {
  _handle?: { setBlocking?: (on: boolean) => void };
}

/**
 * Writes everything. A pipe may be inherited as non-blocking, and Node makes it so on the first access to
 * `process.stdout`. A full pipe is made blocking again; if that is not possible, the write is retried.
 */
function writeFully(fd: 1 | 2, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  let at = 0;
  let blocks = false;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      if (!blocks) {
        blocks = true;
        const stream = (fd === 1 ? process.stdout : process.stderr) as object as BlockableStream;
        stream._handle?.setBlocking?.(true);
        continue;
      }
      pause(2);
    }
  }
}
