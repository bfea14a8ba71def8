import { type IBufferCell, Terminal } from '@xterm/headless';

/** Text of one row that is drawn in one way. */
export interface Run {
  /** From 1, as the cursor positions of a terminal. */
  row: number;
  column: number;
  text: string;
  /** The names of colours, such as `red` or `bright-red`; else `256:N` or `#rrggbb`. Undefined: the terminal's own. */
  foreground: string | undefined;
  background: string | undefined;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
}

export interface Modes {
  alternateScreen: boolean;
  cursorVisible: boolean;
  /** A row that is full goes on in the next one. */
  wraps: boolean;
  bracketedPaste: boolean;
  mouse: boolean;
}

/** What a terminal has when a shell shows its prompt. */
export const ORDINARY: Modes = {
  alternateScreen: false,
  cursorVisible: true,
  wraps: true,
  bracketedPaste: false,
  mouse: false,
};

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** A part of xterm.js that its types do not declare. */
interface Core {
  _core: { buffer: { x: number } };
}

/**
 * A terminal that behaves as xterm does. xterm.js differs in one rule, which is mended here: after a full row, xterm's
 * cursor stands on the last letter, so that erasing from the cursor on erases that letter.
 */
export class Emulator {
  readonly #terminal: Terminal;
  #cursorVisible = true;

  constructor(columns: number, rows: number) {
    this.#terminal = new Terminal({ cols: columns, rows, scrollback: 20_000, allowProposedApi: true });
    for (const final of ['J', 'K', 'X', 'P', '@']) {
      this.#terminal.parser.registerCsiHandler({ final }, () => {
        const { buffer } = (this.#terminal as unknown as Core)._core;
        buffer.x = Math.min(buffer.x, this.#terminal.cols - 1);
        return false;
      });
    }
    for (const final of ['h', 'l']) {
      this.#terminal.parser.registerCsiHandler({ prefix: '?', final }, (numbers) => {
        if (numbers.includes(25)) this.#cursorVisible = final === 'h';
        return false;
      });
    }
  }

  /** Resolves when the bytes are on the screen. */
  write(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(bytes, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  /** The rows of the screen, without the blanks at their ends. */
  get lines(): string[] {
    const { baseY } = this.#terminal.buffer.active;
    return Array.from({ length: this.rows }, (_, row) => this.#line(baseY + row));
  }

  /** The rows that have scrolled off the screen, the oldest first. */
  get past(): string[] {
    return Array.from({ length: this.#terminal.buffer.active.baseY }, (_, row) => this.#line(row));
  }

  /** From 1. */
  get cursor(): { row: number; column: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { row: cursorY + 1, column: Math.min(cursorX, this.columns - 1) + 1 };
  }

  get modes(): Modes {
    const { wraparoundMode, bracketedPasteMode, mouseTrackingMode } = this.#terminal.modes;
    return {
      alternateScreen: this.#terminal.buffer.active.type === 'alternate',
      cursorVisible: this.#cursorVisible,
      wraps: wraparoundMode,
      bracketedPaste: bracketedPasteMode,
      mouse: mouseTrackingMode !== 'none',
    };
  }

  /** The text of the screen that is not drawn as plain text, from the top left on. */
  get styled(): Run[] {
    return this.#runs().filter(
      ({ foreground, background, bold, dim, italic, underline, inverse }) =>
        foreground !== undefined || background !== undefined || bold || dim || italic || underline || inverse,
    );
  }

  #runs(): Run[] {
    const { baseY } = this.#terminal.buffer.active;
    const runs: Run[] = [];
    for (let row = 0; row < this.rows; row++) {
      const line = this.#terminal.buffer.active.getLine(baseY + row);
      let last: Run | undefined;
      for (let column = 0; line !== undefined && column < this.columns; column++) {
        const cell = line.getCell(column);
        // The second half of a wide character.
        if (cell === undefined || cell.getWidth() === 0) continue;
        const run = { ...styleOf(cell), row: row + 1, column: column + 1, text: cell.getChars() || ' ' };
        if (last !== undefined && looksLike(last, run)) last.text += run.text;
        else {
          last = run;
          runs.push(run);
        }
      }
    }
    return runs;
  }

  #line(at: number): string {
    return this.#terminal.buffer.active.getLine(at)?.translateToString(true, 0, this.columns) ?? '';
  }
}

type Look = Omit<Run, 'row' | 'column' | 'text'>;

function styleOf(cell: IBufferCell): Look {
  return {
    foreground: colourOf(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor()),
    background: colourOf(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor()),
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
    italic: cell.isItalic() !== 0,
    underline: cell.isUnderline() !== 0,
    inverse: cell.isInverse() !== 0,
  };
}

function colourOf(isDefault: boolean, isRgb: boolean, colour: number): string | undefined {
  if (isDefault) return undefined;
  if (isRgb) return `#${colour.toString(16).padStart(6, '0')}`;
  if (colour > 15) return `256:${colour}`;
  return `${colour > 7 ? 'bright-' : ''}${COLOURS[colour % 8]}`;
}

function looksLike(a: Look, b: Look): boolean {
  return (
    a.foreground === b.foreground &&
    a.background === b.background &&
    a.bold === b.bold &&
    a.dim === b.dim &&
    a.italic === b.italic &&
    a.underline === b.underline &&
    a.inverse === b.inverse
  );
}
