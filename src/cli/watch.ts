import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import { visible } from '../text/escape.js';
import type { Style } from '../views/parts/style.js';
import type { Terminal } from './terminal.js';

export interface Frame {
  text: string;
  /** Said besides the frame, like the problems: on the screen below it, elsewhere on stderr. */
  notice?: string;
  problems: readonly Problem[];
}

export interface WatchOptions {
  intervalMs: number;
  /** Frames are lines for a program: they are never drawn on a screen of their own. */
  lines?: boolean;
}

/** Lines that do not fit are cut: each has to be one line, or the first ones would leave the screen. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/**
 * Draws frames until a signal ends it. On a terminal each takes the place of the one before, on a screen of
 * its own, and the last one stays; elsewhere a frame is written when it differs from the one before.
 * Resolves to the exit code of the signal; what `draw` throws is thrown, with the terminal as it was.
 */
export async function watchFrames(
  terminal: Terminal,
  options: WatchOptions,
  draw: () => Awaitable<Frame>,
): Promise<number> {
  const waiter = new Waiter();
  try {
    // What can't be drawn at all is told on the ordinary screen.
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
      const text = live ? onScreen(frame, style, terminal.rows) : frame.text + besides(frame);
      if (live) terminal.write(text);
      else if (text !== last) {
        terminal.write(frame.text);
        terminal.writeError(besides(frame));
      }
      last = text;
      const exitCode = await waiter.wait(intervalMs);
      if (exitCode !== undefined) return exitCode;
      // Where nothing changes nothing is written, which would tell.
      if (terminal.isClosed()) return EXIT.ok;
      const next = await waiter.orSignal(draw());
      if (typeof next === 'number') return next;
      frame = next;
    }
  } finally {
    if (live) {
      terminal.write(`${LEAVE}${frame.text}`);
      terminal.writeError(besides(frame));
    }
  }
}

function besides({ notice, problems }: Frame): string {
  const lines = problems.map(({ severity, message }) => `${severity}: ${message}`);
  if (notice !== undefined) lines.unshift(notice);
  return lines.map((line) => `${visible(line)}\n`).join('');
}

/** The frame cut to the screen, each line cleared behind its end, so that nothing flickers. */
function onScreen(frame: Frame, style: Style, rows: number): string {
  const time = new Date(style.now).toISOString().replace(/\.\d+Z$/, 'Z');
  const lines = [`${time}  Ctrl-C to quit`, '', ...(frame.text + besides(frame)).split('\n')].slice(
    0,
    rows - 1,
  );
  return `${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\n')}${CLEAR_BELOW}`;
}

/** Waits for time to pass, the terminal to change its size, or a signal. */
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

  /** Resolves to what is waited for, or to the exit code of a signal that comes before it. */
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
