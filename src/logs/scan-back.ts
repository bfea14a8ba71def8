const NEWLINE = 10;
const BLOCK = 64 * 1024;

/** Bytes that can be read anywhere; `read` returns fewer than asked for only at the end. */
export interface Bytes {
  size: number;
  read(buffer: Uint8Array, length: number, offset: number): number;
}

/**
 * Finds where the last n lines begin, going backwards through files that continue one another. Give it the
 * newest file first and go on to the next older one as long as `scan` returns undefined. A last line without
 * a newline counts as a line, as in tail(1).
 */
export class LastLinesScan {
  #missing: number;
  #atEnd = true;
  readonly #buffer: Buffer;

  constructor(lines: number, block = BLOCK) {
    this.#missing = lines;
    this.#buffer = Buffer.allocUnsafe(block);
  }

  /** The offset at which the wanted lines begin in this file; undefined if they begin in an older one. */
  scan(bytes: Bytes): number | undefined {
    if (this.#missing === 0) return bytes.size;
    const buffer = this.#buffer;
    let end = bytes.size;
    while (end > 0) {
      const start = Math.max(0, end - buffer.length);
      const length = bytes.read(buffer, end - start, start);
      let at = length - 1;
      if (this.#atEnd && length > 0) {
        this.#atEnd = false;
        if (buffer[at] === NEWLINE) at -= 1;
      }
      while (at >= 0) {
        at = buffer.lastIndexOf(NEWLINE, at);
        if (at === -1) break;
        this.#missing -= 1;
        if (this.#missing === 0) return start + at + 1;
        at -= 1;
      }
      end = start;
    }
    return undefined;
  }
}
