import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { escapeControl } from '../views/parts/escape.js';
import type { Style } from '../views/parts/style.js';
import type { Terminal } from './terminal.js';

export interface Frame {
  text: string;
  problems: readonly Problem[];
}

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
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
  intervalMs: number,
  draw: (style: Style) => Frame,
): Promise<number> {
  const live = terminal.stdoutIsTerminal;
  const waiter = new Waiter();
  let last: string | undefined;
  // What can't be drawn at all is told on the ordinary screen.
  let frame = draw(terminal.style(1));
  if (live) terminal.write(ENTER);
  try {
    for (;;) {
      const style = terminal.style(1);
      const text = live ? onScreen(frame, style, terminal.rows) : withProblems(frame);
      if (live || text !== last) terminal.write(live ? text : frame.text);
      if (!live && text !== last) for (const line of problemLines(frame)) terminal.writeError(line);
      last = text;
      const exitCode = await waiter.wait(intervalMs);
      if (exitCode !== undefined) return exitCode;
      frame = draw(terminal.style(1));
    }
  } finally {
    waiter.close();
    if (live) terminal.write(`${LEAVE}${frame.text}`);
  }
}

function problemLines({ problems }: Frame): string[] {
  return problems.map(({ severity, message }) => `${severity}: ${escapeControl(message)}\n`);
}

function withProblems(frame: Frame): string {
  return frame.text + problemLines(frame).join('');
}

/** The frame cut to the screen, each line cleared behind its end, so that nothing flickers. */
function onScreen(frame: Frame, style: Style, rows: number): string {
  const time = new Date(style.now).toISOString().replace(/\.\d+Z$/, 'Z');
  const lines = [`${time}  Ctrl-C to quit`, '', ...withProblems(frame).split('\n')].slice(0, rows - 1);
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
