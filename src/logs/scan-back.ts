import type { Awaitable } from '../task/gatherer.js';

const NEWLINE = 10;
const BLOCK = 64 * 1024;
/** The search for a newline goes back no further than this: a sparse file without one may be huge. */
export const LONGEST_LINE = 8 * 1024 * 1024;

/** Bytes that can be read at any offset; `readAt` reads fewer than `length` only at the end. */
export interface Bytes {
  size: number;
  readAt(buffer: Uint8Array, length: number, offset: number): Awaitable<number>;
}

/**
 * Finds where the last n lines begin, going backwards through files that continue one another. Give it the
 * newest file first, then the next older one as long as `scan` returns undefined. A last line without a
 * newline counts as a line, as in tail(1). For a line that is too long it gives an offset inside the line, and
 * `cut` is true.
 */
export class LastLinesScan {
  #missing: number;
  #atEnd = true;
  #cut = false;
  /** Bytes since the last newline that was found. */
  #sinceNewline = 0;
  readonly #longest: number;
  readonly #buffer: Buffer;

  constructor(lines: number, { block = BLOCK, longest = LONGEST_LINE } = {}) {
    this.#missing = lines;
    this.#longest = longest;
    this.#buffer = Buffer.allocUnsafe(block);
  }

  get cut(): boolean {
    return this.#cut;
  }

  /** The offset at which the wanted lines begin in this file; undefined if they begin in an older one. */
  async scan(bytes: Bytes): Promise<number | undefined> {
    if (this.#missing === 0) return bytes.size;
    const buffer = this.#buffer;
    let end = bytes.size;
    while (end > 0) {
      const start = Math.max(0, end - buffer.length);
      const length = await bytes.readAt(buffer, end - start, start);
      let at = length - 1;
      let newline: number | undefined;
      if (this.#atEnd && length > 0) {
        this.#atEnd = false;
        if (buffer[at] === NEWLINE) at -= 1;
      }
      while (at >= 0) {
        at = buffer.lastIndexOf(NEWLINE, at);
        if (at === -1) break;
        this.#missing -= 1;
        if (this.#missing === 0) return start + at + 1;
        newline = at;
        at -= 1;
      }
      this.#sinceNewline = newline ?? this.#sinceNewline + length;
      if (this.#sinceNewline >= this.#longest) {
        this.#cut = true;
        return start;
      }
      end = start;
    }
    return undefined;
  }
}
