import { type Advance, NO_PROGRESS, type Progress } from '../app/progress.js';
import type { Terminal } from './terminal.js';

/** How often progress is shown. */
const EVERY_MS = 100;

/** Progress on stderr: a line that is written over. Nothing where that is no terminal. */
export function progressOn(terminal: Terminal): Progress {
  return terminal.stderrIsTerminal ? new ProgressLine(terminal) : NO_PROGRESS;
}

class ProgressLine implements Progress {
  readonly #terminal: Terminal;
  #shown: number;
  #isDrawn = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#shown = terminal.now();
  }

  start(): void {
    this.#shown = this.#terminal.now();
  }

  update({ done, total, what }: Advance): void {
    if (this.#terminal.now() - this.#shown < EVERY_MS) return;
    this.#shown = this.#terminal.now();
    this.#isDrawn = true;
    this.#terminal.writeError(`\r${done}${total === undefined ? '' : ` of ${total}`} ${what}`);
  }

  stop(): void {
    if (this.#isDrawn) this.#terminal.writeError('\r\x1b[K');
    this.#isDrawn = false;
  }
}
