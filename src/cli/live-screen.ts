import type { Terminal } from './terminal.js';

const UP = (lines: number) => (lines === 0 ? '' : `\u001b[${lines}A`);
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CUT_LINES = '\u001b[?7l';
const WRAP_LINES = '\u001b[?7h';

/** At least this many printed lines stay visible. */
const LEAST = 3;
/** The shortest time between two drawings, milliseconds. */
const PAUSE_MS = 80;
/** This many pending lines are drawn at once, so that they do not fill the memory. */
const MOST_PENDING = 2000;

/**
 * A block of lines that stays visible and is redrawn in place, with printed lines below it. When there is no more room,
 * the oldest printed lines scroll up past the block into the terminal's scrollback, in order, so that nothing is lost.
 * Lines are escaped. A line wider than the terminal (a table on a narrow terminal, or text printed when it was wider)
 * is cut while it is visible, because each line must take one row.
 */
export class LiveScreen {
  readonly #terminal: Terminal;
  readonly #head: (rows: number) => string[];
  #recent: string[] = [];
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;
  #last = Number.NEGATIVE_INFINITY;

  /** `head`: gives the block, of at most `rows` lines. */
  constructor(terminal: Terminal, head: (rows: number) => string[]) {
    this.#terminal = terminal;
    this.#head = head;
  }

  print(lines: readonly string[]): void {
    for (const line of lines) this.#recent.push(line);
    if (this.#recent.length > MOST_PENDING) this.#draw();
    else this.refresh();
  }

  /** Schedules a redraw. */
  refresh(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#last + PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => this.#draw(), wait);
  }

  /** Removes the block; printed lines stay. */
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
    // The terminal may be lower now than the block was: rows that scrolled away cannot be reached.
    const up = Math.min(this.#drawn, rows - 1);
    const before = past.length === 0 ? '' : CLEAR_BELOW + textOf(past);
    this.#terminal.write(`${HIDE_CURSOR}\r${UP(up)}${before}${inSight}${CLEAR_BELOW}`);
    this.#drawn = head.length + this.#recent.length;
    this.#last = performance.now();
  }
}

/** Each line is cleared before it is written: afterwards, a line as wide as the terminal would lose its last character. */
function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${CLEAR_LINE}${line}\r\n`).join('');
}
