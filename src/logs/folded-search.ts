import type { LiteralSearch } from './literal-finder.js';

/** A shorter literal is found too often, or not much faster than by looking at each byte. */
const SHORTEST = 3;

/** What is not ASCII and becomes k or s when case is ignored, in UTF-8: the sign of Kelvin, and the long s. */
const KELVIN = Buffer.from('\u212a');
const LONG_S = Buffer.from('\u017f');

/**
 * A search for the literals that ignores the case of ASCII letters, by the part of each that is ASCII and longest; undefined
 * if a part is too short for that.
 */
export function foldedSearch(literals: readonly string[]): FoldedSearch | undefined {
  const parts = literals.map(longestAscii);
  return parts.every(({ length }) => length >= SHORTEST) ? new FoldedSearch(parts) : undefined;
}

function longestAscii(literal: string): string {
  const runs = literal.split(/[^\0-\x7f]+/);
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest)).toLowerCase();
}

/**
 * Looks at the byte that would be the last of a literal, and skips as far as no literal can end (Horspool's algorithm, for
 * several literals of which the ends of the same length are searched).
 */
class FoldedSearch implements LiteralSearch {
  readonly #ends: readonly Buffer[];
  readonly #length: number;
  readonly #hasKelvin: boolean;
  readonly #hasLongS: boolean;
  /** By the byte at the end of the window: how far the window moves; 0 if a literal may end there. */
  readonly #skip = new Int32Array(256);
  /** The same for when none ends there. */
  readonly #again = new Int32Array(256);
  #bytes: Buffer = Buffer.alloc(0);

  /** Of ASCII, in lower case. */
  constructor(literals: readonly string[]) {
    this.#length = Math.min(...literals.map(({ length }) => length));
    this.#ends = literals.map((literal) => Buffer.from(literal.slice(-this.#length)));
    this.#hasKelvin = this.#ends.some((end) => end.includes('k'));
    this.#hasLongS = this.#ends.some((end) => end.includes('s'));
    const last = this.#length - 1;
    this.#again.fill(this.#length);
    for (const end of this.#ends) {
      for (let at = 0; at < last; at++) {
        for (const byte of casesOf(end[at] as number))
          this.#again[byte] = Math.min(this.#again[byte] as number, last - at);
      }
    }
    this.#skip.set(this.#again);
    for (const end of this.#ends) for (const byte of casesOf(end[last] as number)) this.#skip[byte] = 0;
  }

  begin(bytes: Buffer): boolean {
    this.#bytes = bytes;
    return !(this.#hasKelvin && bytes.includes(KELVIN)) && !(this.#hasLongS && bytes.includes(LONG_S));
  }

  next(from: number): number | undefined {
    const bytes = this.#bytes;
    const skip = this.#skip;
    const { length } = bytes;
    const last = this.#length - 1;
    let at = from + last;
    while (at < length) {
      const step = skip[bytes[at] as number] as number;
      if (step !== 0) {
        at += step;
        continue;
      }
      const start = at - last;
      for (const end of this.#ends) if (isAt(bytes, start, end)) return start;
      at += this.#again[bytes[at] as number] as number;
    }
    return undefined;
  }
}

function isAt(bytes: Buffer, start: number, literal: Buffer): boolean {
  for (let at = 0; at < literal.length; at++) {
    if (lowerCase(bytes[start + at] as number) !== literal[at]) return false;
  }
  return true;
}

function lowerCase(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

/** The byte, and its other case. */
function casesOf(byte: number): number[] {
  return byte >= 97 && byte <= 122 ? [byte, byte - 32] : [byte];
}
