import type { LineFilter } from './line-filter.js';
import { type Bytes, LONGEST_LINE } from './scan-back.js';

const NEWLINE = 10;
/** The first block is small, because the last lines are often the chosen ones. */
const FIRST_BLOCK = 64 * 1024;
const BLOCK = 1024 * 1024;
/** Beyond this number, ranges also cover lines in between, which the filter leaves out when they are printed. */
const MOST_RANGES = 100_000;

/** From one offset to another. */
export type Range = [from: number, to: number];

interface Segment {
  file: Bytes;
  range: Range;
}

/**
 * Finds the last n lines that a filter chooses, going backwards through files that continue one another. Give it the
 * newest file first, then the next older one until `scan` returns true, and call `finish` if there is none. A line
 * that is too long ends the search, and `cut` is its offset.
 */
export class ChosenLinesScan {
  #missing: number;
  readonly #filter: LineFilter;
  readonly #keepsEnd: boolean;
  readonly #ranges = new Map<Bytes, Range[]>();
  #count = 0;
  /** The line whose beginning was not reached yet. */
  #segments: Segment[] = [];
  #bytes: Buffer[] = [];
  #length = 0;
  #atEnd = true;
  #buffer: Buffer;
  readonly #block: number;
  readonly #longest: number;
  cut: number | undefined;

  /** `keepsEnd`: a last line without a newline is among the ranges in any case, because it may go on. */
  constructor(
    lines: number,
    filter: LineFilter,
    { keepsEnd = false, first = FIRST_BLOCK, block = BLOCK, longest = LONGEST_LINE } = {},
  ) {
    this.#missing = lines;
    this.#filter = filter;
    this.#keepsEnd = keepsEnd;
    this.#block = block;
    this.#longest = longest;
    this.#buffer = Buffer.allocUnsafe(first);
  }

  /** What of a file is to be printed, ascending. */
  ranges(file: Bytes): Range[] {
    return (this.#ranges.get(file) ?? []).toReversed();
  }

  /** Searches one file. Resolves to whether nothing older is needed. */
  async scan(file: Bytes): Promise<boolean> {
    let end = file.size;
    while (end > 0) {
      const start = Math.max(0, end - this.#buffer.length);
      const length = await file.readAt(this.#buffer, end - start, start);
      const bytes = this.#buffer.subarray(0, length);
      const last = bytes.lastIndexOf(NEWLINE);
      if (last === -1) {
        this.#hold(file, start, bytes);
      } else {
        this.#hold(file, start + last + 1, bytes.subarray(last + 1));
        if (this.finish()) return true;
        const first = bytes.indexOf(NEWLINE);
        if (first < last && this.#takeLines(file, start + first + 1, bytes.subarray(first + 1, last + 1))) {
          return true;
        }
        this.#hold(file, start, bytes.subarray(0, first + 1));
      }
      if (this.#length > this.#longest) {
        this.cut = start;
        return true;
      }
      end = start;
      if (this.#buffer.length < this.#block) this.#buffer = Buffer.allocUnsafe(this.#block);
    }
    return this.#missing === 0 && !(this.#keepsEnd && this.#atEnd);
  }

  /** The line that is held begins here. Returns whether all lines were found. */
  finish(): boolean {
    const bytes = this.#bytes.length === 1 ? (this.#bytes[0] as Buffer) : Buffer.concat(this.#bytes);
    const isOpen = this.#atEnd && bytes.at(-1) !== NEWLINE;
    this.#atEnd = false;
    if (bytes.length > 0) {
      let chosen = false;
      if (this.#missing > 0) {
        this.#filter.each(bytes, () => {
          chosen = true;
        });
      }
      if (chosen) this.#missing -= 1;
      if (chosen || (isOpen && this.#keepsEnd)) {
        for (const { file, range } of this.#segments.toReversed()) this.#add(file, range);
      }
    }
    this.#segments = [];
    this.#bytes = [];
    this.#length = 0;
    return this.#missing === 0;
  }

  /** Takes the last of the chosen lines, as many as are missing. */
  #takeLines(file: Bytes, offset: number, lines: Buffer): boolean {
    const chosen: Range[] = [];
    this.#filter.each(lines, (from, to) => void chosen.push([from, to]));
    for (const [from, to] of chosen.reverse()) {
      let start = to;
      while (start > from && this.#missing > 0) {
        start = start - 2 < from ? from : Math.max(from, lines.lastIndexOf(NEWLINE, start - 2) + 1);
        this.#missing -= 1;
      }
      this.#add(file, [offset + start, offset + to]);
      if (this.#missing === 0) return true;
    }
    return false;
  }

  #hold(file: Bytes, offset: number, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#segments.unshift({ file, range: [offset, offset + bytes.length] });
    this.#bytes.unshift(Buffer.from(bytes));
    this.#length += bytes.length;
  }

  #add(file: Bytes, [from, to]: Range): void {
    let ranges = this.#ranges.get(file);
    if (ranges === undefined) {
      ranges = [];
      this.#ranges.set(file, ranges);
    }
    const before = ranges.at(-1);
    if (before !== undefined && (before[0] === to || this.#count >= MOST_RANGES)) {
      before[0] = from;
    } else {
      ranges.push([from, to]);
      this.#count += 1;
    }
  }
}
