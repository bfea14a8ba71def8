import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LiveScreen } from '../../src/cli/live-screen.js';
import type { Terminal } from '../../src/cli/terminal.js';

/** As much of a terminal as LiveScreen uses; what leaves it at the top is remembered. */
class Glass {
  rows: number;
  columns = 80;
  readonly past: string[] = [];
  lines: string[] = [''];
  #row = 0;
  #wraps = true;

  constructor(rows: number) {
    this.rows = rows;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told
    for (const [token] of text.matchAll(/\u001b\[\??\d*[A-Za-z]|\r|\n|[^\u001b\r\n]+/g)) this.#take(token);
  }

  get shown(): string[] {
    return [...this.past, ...this.lines].map((line) => line.trimEnd());
  }

  #take(token: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const [, count, what] = /^\u001b\[\??(\d*)([A-Za-z])$/.exec(token) ?? [];
    if (what === 'A') this.#row = Math.max(0, this.#row - Number(count));
    else if (what === 'J') this.lines = [...this.lines.slice(0, this.#row), ''];
    else if (token === '\n') this.#down();
    else if (what === 'l' && count === '7') this.#wraps = false;
    else if (what === 'h' && count === '7') this.#wraps = true;
    else if (what === undefined && token !== '\r') this.#print(token);
  }

  #print(text: string): void {
    this.lines[this.#row] = text.slice(0, this.columns);
    if (!this.#wraps || text.length <= this.columns) return;
    this.#down();
    this.#print(text.slice(this.columns));
  }

  #down(): void {
    this.#row++;
    if (this.#row === this.rows) {
      this.past.push(this.lines.shift() as string);
      this.#row--;
    }
    this.lines[this.#row] ??= '';
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function screenOf(glass: Glass, head: string[]): LiveScreen {
  return new LiveScreen(glass as unknown as Terminal, (rows) => head.slice(0, rows));
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);

describe('the block', () => {
  test('stands above what was printed last', () => {
    const glass = new Glass(10);
    const screen = screenOf(glass, ['HEAD', 'table']);
    screen.print(['one', 'two']);
    vi.advanceTimersByTime(1000);
    expect(glass.shown).toEqual(['HEAD', 'table', 'one', 'two', '']);
    screen.close();
  });

  test('has as many lines as it has on a terminal that is too narrow for them', () => {
    const glass = new Glass(6);
    const screen = screenOf(glass, ['a head that is long', 'a table that is long']);
    for (let i = 1; i <= 5; i++) {
      screen.print([`printed ${i}`]);
      vi.advanceTimersByTime(1000);
      glass.columns = 10;
    }
    expect(glass.shown).toEqual([
      'printed 1',
      'printed 2',
      'a head tha',
      'a table th',
      'printed 3',
      'printed 4',
      'printed 5',
      '',
    ]);
    screen.close();
  });

  test('cuts what was printed when the terminal was wider, until that is past', () => {
    const glass = new Glass(6);
    const screen = screenOf(glass, ['HEAD']);
    screen.print(['printed one']);
    glass.columns = 9;
    for (const line of ['two', 'three', 'four', 'five']) {
      vi.advanceTimersByTime(1000);
      expect(glass.shown).toContain('printed o');
      screen.print([line]);
    }
    vi.advanceTimersByTime(1000);
    expect(glass.shown).toEqual(['printed o', 'ne', 'HEAD', 'two', 'three', 'four', 'five', '']);
    screen.close();
  });

  test('is redrawn in its place', () => {
    const glass = new Glass(10);
    const head = ['HEAD 1'];
    const screen = screenOf(glass, head);
    for (let i = 1; i <= 5; i++) {
      head[0] = `HEAD ${i}`;
      screen.refresh();
      vi.advanceTimersByTime(1000);
    }
    expect(glass.shown).toEqual(['HEAD 5', '']);
    screen.close();
  });

  test('is not drawn for every line', () => {
    const glass = new Glass(10);
    const write = vi.spyOn(glass, 'write');
    const screen = screenOf(glass, ['HEAD']);
    for (const line of numbers(1, 500)) screen.print([line]);
    vi.advanceTimersByTime(1000);
    expect(write).toHaveBeenCalledTimes(1);
    screen.close();
  });

  test('leaves at least some lines for what is printed', () => {
    const glass = new Glass(10);
    const screen = screenOf(glass, numbers(1, 100));
    screen.print(['out']);
    vi.advanceTimersByTime(1000);
    expect(glass.past).toEqual([]);
    expect(glass.shown.at(-2)).toBe('out');
    screen.close();
  });
});

describe('what was printed', () => {
  test.each([1, 3, 7, 8, 9, 50, 5000])(
    '%d lines are all there at the end, in order, and nothing else',
    (count) => {
      const glass = new Glass(10);
      glass.write('$ thermos run\r\n');
      const screen = screenOf(glass, ['HEAD', 'table']);
      const lines = numbers(1, count);
      for (const line of lines) {
        screen.print([line]);
        if (Number(line.slice(5)) % 7 === 0) vi.advanceTimersByTime(100);
      }
      vi.advanceTimersByTime(1000);
      if (count > 8) expect(glass.lines.slice(0, 2)).toEqual(['HEAD', 'table']);
      screen.close();
      expect(glass.shown).toEqual(['$ thermos run', ...lines, '']);
    },
  );
});
