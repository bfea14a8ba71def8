import type { Terminal } from './terminal.js';

const UP = (lines: number) => (lines === 0 ? '' : `\u001b[${lines}A`);
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CUT_LINES = '\u001b[?7l';
const WRAP_LINES = '\u001b[?7h';

/** At least so many lines of what is printed stay in sight. */
const LEAST = 3;
/** Not drawn more often than this, milliseconds. */
const PAUSE_MS = 80;
/** So many lines are drawn at once at the latest, lest they fill the memory. */
const MOST_PENDING = 2000;

/**
 * A block of lines that stays in sight, redrawn in place, with what is printed below it. Lines for which there
 * is no room any more move up past the block into the terminal's memory, in their order, so that nothing that
 * was printed is lost. Lines are escaped. What does not fit the width (a table on a narrow terminal, what was
 * printed when it was wider) is cut as long as it stays in sight: each line has to be one line.
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
    this.#terminal.write(`\r${UP(this.#drawn)}${CLEAR_BELOW}${textOf(this.#recent)}${SHOW_CURSOR}`);
    this.#recent = [];
    this.#drawn = 0;
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = Math.max(LEAST + 2, this.#terminal.rows);
    const head = this.#head(rows - 1 - LEAST).slice(0, rows - 1 - LEAST);
    const past = this.#recent.splice(0, Math.max(0, this.#recent.length - (rows - 1 - head.length)));
    const inSight = `${CUT_LINES}${textOf([...head, ...this.#recent])}${WRAP_LINES}`;
    // The block may have been higher than the terminal is by now: what went up can't be reached.
    const up = Math.min(this.#drawn, rows - 1);
    const before = past.length === 0 ? '' : CLEAR_BELOW + textOf(past);
    this.#terminal.write(`${HIDE_CURSOR}\r${UP(up)}${before}${inSight}${CLEAR_BELOW}`);
    this.#drawn = head.length + this.#recent.length;
    this.#last = performance.now();
  }
}

/** Cleared before, not behind: that would take the last character of a line that is as wide as the terminal. */
function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${CLEAR_LINE}${line}\r\n`).join('');
}
