import type { Terminal } from './terminal.js';

const UP = (lines: number) => (lines === 0 ? '' : `\u001b[${lines}A`);
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

/** At least so many lines of what is printed stay in sight. */
const LEAST = 3;
/** Not drawn more often than this, milliseconds. */
const PAUSE_MS = 80;
/** So many lines are drawn at once at the latest, lest they fill the memory. */
const MOST_PENDING = 2000;

/**
 * A block of lines that stays in sight, redrawn in place, with what is printed below it. Lines for which there
 * is no room any more move up past the block into the terminal's memory, in their order, so that nothing that
 * was printed is lost. Lines are escaped and fit the width already.
 */
export class LiveScreen {
  readonly #terminal: Terminal;
  readonly #head: (rows: number) => string[];
  #recent: string[] = [];
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;
  #last = Number.NEGATIVE_INFINITY;

  /** `head`: the block, of at most so many lines. */
  constructor(terminal: Terminal, head: (rows: number) => string[]) {
    this.#terminal = terminal;
    this.#head = head;
  }

  print(lines: readonly string[]): void {
    for (const line of lines) this.#recent.push(line);
    if (this.#recent.length > MOST_PENDING) this.#draw();
    else this.refresh();
  }

  /** Draws it again soon. */
  refresh(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#last + PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => this.#draw(), wait);
  }

  /** Takes the block away; what was printed stays. */
  close(): void {
    clearTimeout(this.#timer);
    const lines = this.#recent.map((line) => `${line}${CLEAR_LINE}\r\n`).join('');
    this.#terminal.write(`\r${UP(this.#drawn)}${lines}${CLEAR_BELOW}${SHOW_CURSOR}`);
    this.#recent = [];
    this.#drawn = 0;
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = Math.max(LEAST + 2, this.#terminal.rows);
    const head = this.#head(rows - 1 - LEAST).slice(0, rows - 1 - LEAST);
    const past = this.#recent.splice(0, Math.max(0, this.#recent.length - (rows - 1 - head.length)));
    const lines = [...past, ...head, ...this.#recent].map((line) => `${line}${CLEAR_LINE}\r\n`).join('');
    // The block may have been higher than the terminal is by now: what went up can't be reached.
    const up = Math.min(this.#drawn, rows - 1);
    this.#terminal.write(`${HIDE_CURSOR}\r${UP(up)}${lines}${CLEAR_BELOW}`);
    this.#drawn = head.length + this.#recent.length;
    this.#last = performance.now();
  }
}
