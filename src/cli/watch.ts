import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import { visible } from '../text/escape.js';
import type { Style } from '../views/parts/style.js';
import type { Terminal } from './terminal.js';

export interface Frame {
  text: string;
  /** Shown in addition to the frame, like the problems: below it on the screen, elsewhere on stderr. */
  notice?: string;
  problems: readonly Problem[];
}

export interface WatchOptions {
  intervalMs: number;
  /** Frames are lines for a program: they are never drawn on a separate screen. */
  lines?: boolean;
}

/** Lines that do not fit are cut: each must take one row, or the first ones would scroll off the screen. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/**
 * Draws frames until a signal. On a terminal, each frame replaces the one before on a separate screen, and the last
 * one stays; elsewhere, a frame is written when it differs from the one before. Resolves to the exit code of the
 * signal. Rejects with what `draw` throws, after the terminal is restored.
 */
export async function watchFrames(
  terminal: Terminal,
  options: WatchOptions,
  draw: () => Awaitable<Frame>,
): Promise<number> {
  const waiter = new Waiter();
  try {
    // If the first frame fails, the error goes to the ordinary screen.
    const first = await waiter.orSignal(draw());
    return typeof first === 'number' ? first : await redraw(terminal, options, draw, waiter, first);
  } finally {
    waiter.close();
  }
}

async function redraw(
  terminal: Terminal,
  { intervalMs, lines = false }: WatchOptions,
  draw: () => Awaitable<Frame>,
  waiter: Waiter,
  first: Frame,
): Promise<number> {
  const live = terminal.stdoutIsTerminal && !lines;
  let last: string | undefined;
  let frame = first;
  if (live) terminal.write(ENTER);
  try {
    for (;;) {
      const style = terminal.style(1);
      const text = live ? onScreen(frame, style, terminal.rows) : frame.text + footer(frame);
      if (live) terminal.write(text);
      else if (text !== last) {
        terminal.write(frame.text);
        terminal.writeError(footer(frame));
      }
      last = text;
      const exitCode = await waiter.wait(intervalMs);
      if (exitCode !== undefined) return exitCode;
      // If nothing changes, no write shows that the output is closed.
      if (terminal.isClosed()) return EXIT.ok;
      const next = await waiter.orSignal(draw());
      if (typeof next === 'number') return next;
      frame = next;
    }
  } finally {
    if (live) {
      terminal.write(`${LEAVE}${frame.text}`);
      terminal.writeError(footer(frame));
    }
  }
}

function footer({ notice, problems }: Frame): string {
  const lines = problems.map(({ severity, message }) => `${severity}: ${message}`);
  if (notice !== undefined) lines.unshift(notice);
  return lines.map((line) => `${visible(line)}\n`).join('');
}

/** The frame cut to the screen. Each line is cleared from its end on, so that nothing flickers. */
function onScreen(frame: Frame, style: Style, rows: number): string {
  const time = new Date(style.now).toISOString().replace(/\.\d+Z$/, 'Z');
  const lines = [`${time}  Ctrl-C to quit`, '', ...(frame.text + footer(frame)).split('\n')].slice(
    0,
    rows - 1,
  );
  return `${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\n')}${CLEAR_BELOW}`;
}

/** Waits for a time, a change of the terminal's size, or a signal. */
class Waiter {
  #wake: ((exitCode: number | undefined) => void) | undefined;
  #signalled: number | undefined;
  readonly #onInterrupt = () => this.#signal(EXIT.interrupted);
  readonly #onTerminate = () => this.#signal(EXIT.terminated);
  readonly #onResize = () => this.#wake?.(undefined);

  constructor() {
    process.on('SIGINT', this.#onInterrupt);
    process.on('SIGTERM', this.#onTerminate);
    process.on('SIGWINCH', this.#onResize);
  }

  /** Resolves to the exit code of a signal, or to undefined when it is time for the next frame. */
  wait(milliseconds: number): Promise<number | undefined> {
    if (this.#signalled !== undefined) return Promise.resolve(this.#signalled);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), milliseconds);
      this.#wake = (exitCode) => {
        clearTimeout(timer);
        resolve(exitCode);
      };
    });
  }

  /** Resolves to the awaited value, or to the exit code of a signal that comes first. */
  orSignal<T>(awaited: Awaitable<T>): Promise<T | number> {
    const signalled = new Promise<number>((resolve) => {
      this.#wake = (exitCode) => exitCode !== undefined && resolve(exitCode);
    });
    return Promise.race([awaited, signalled]);
  }

  close(): void {
    process.off('SIGINT', this.#onInterrupt);
    process.off('SIGTERM', this.#onTerminate);
    process.off('SIGWINCH', this.#onResize);
  }

  #signal(exitCode: number): void {
    this.#signalled = exitCode;
    this.#wake?.(exitCode);
  }
}
