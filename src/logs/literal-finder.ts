const NEWLINE = 10;
/** From so many bytes on, it is seen which bytes of the literals are rare in the log. */
const SAMPLE = 32 * 1024;

/** At least so many bytes are searched for: fewer are found too often. */
const SHORTEST = 4;

/** A literal that leads to fewer bytes than this for each line that does not match is not searched for any more. */
const WORTH = 512;

/** Finds lines in a log. */
export interface LineFinder {
  /** Gives the lines that match, of whole lines, in their order: where each begins, and where the next line does. */
  each(bytes: Buffer, found: (start: number, end: number) => void): void;
  /** Whether the line from `start` to `end` matches. */
  matches(bytes: Buffer, start: number, end: number): boolean;
}

/**
 * Finds lines that contain one of the literals and that `check` finds too. A literal is searched from its rarest byte
 * on: a search for bytes is fast from one place with the first byte to the next.
 */
export class LiteralFinder implements LineFinder {
  readonly #literals: readonly Buffer[];
  readonly #check: LineFinder | undefined;
  #searched: Searched[] | undefined;
  /** How many lines with a literal `check` did not find, in how many bytes. */
  #rejected = 0;
  #bytes = 0;

  constructor(literals: readonly string[], check: LineFinder | undefined) {
    this.#literals = literals.map((literal) => Buffer.from(literal));
    this.#check = check;
  }

  each(bytes: Buffer, found: (start: number, end: number) => void): void {
    if (this.#check === undefined || this.#rejected * WORTH <= this.#bytes)
      this.#eachWithLiteral(bytes, found);
    else this.#check.each(bytes, found);
  }

  #eachWithLiteral(bytes: Buffer, found: (start: number, end: number) => void): void {
    this.#bytes += bytes.length;
    const searched = this.#sampled(bytes);
    for (const each of searched) each.at = -1;
    for (let line = 0; line < bytes.length; ) {
      const at = firstOf(searched, bytes, line);
      if (at === undefined) return;
      const start = at === 0 ? 0 : bytes.lastIndexOf(NEWLINE, at - 1) + 1;
      line = endOfLine(bytes, at);
      if (this.#check === undefined || this.#check.matches(bytes, start, line)) found(start, line);
      else this.#rejected += 1;
    }
  }

  matches(bytes: Buffer, start: number, end: number): boolean {
    if (this.#check !== undefined) return this.#check.matches(bytes, start, end);
    const line = bytes.subarray(start, end);
    return this.#literals.some((literal) => line.includes(literal));
  }

  #sampled(bytes: Buffer): Searched[] {
    if (this.#searched !== undefined) return this.#searched;
    const counts = new Uint32Array(256);
    for (const byte of bytes.subarray(0, SAMPLE)) counts[byte] = (counts[byte] as number) + 1;
    const searched = this.#literals.map((literal) => searchedOf(literal, counts));
    if (bytes.length >= SAMPLE) this.#searched = searched;
    return searched;
  }
}

/** Where the line after this offset begins, or the end of the bytes. */
export function endOfLine(bytes: Buffer, at: number): number {
  const newline = bytes.indexOf(NEWLINE, at);
  return newline === -1 ? bytes.length : newline + 1;
}

interface Searched {
  /** What comes before the rarest byte, and the rest. */
  before: Buffer;
  rest: Buffer;
  /** Where it was found; -1 before the search, infinite if it is not there. */
  at: number;
}

function searchedOf(literal: Buffer, counts: Uint32Array): Searched {
  let rarest = 0;
  for (let at = 1; at <= literal.length - SHORTEST; at++) {
    if ((counts[literal[at] as number] as number) < (counts[literal[rarest] as number] as number))
      rarest = at;
  }
  return { before: literal.subarray(0, rarest), rest: literal.subarray(rarest), at: -1 };
}

/** Where the first of them is, from an offset on. */
function firstOf(searched: readonly Searched[], bytes: Buffer, from: number): number | undefined {
  let first = Number.POSITIVE_INFINITY;
  for (const each of searched) {
    if (each.at < from) each.at = indexOf(each, bytes, from);
    if (each.at < first) first = each.at;
  }
  return first === Number.POSITIVE_INFINITY ? undefined : first;
}

function indexOf({ before, rest }: Searched, bytes: Buffer, from: number): number {
  const { length } = before;
  for (let at = from + length; ; at += 1) {
    at = bytes.indexOf(rest, at);
    if (at === -1) return Number.POSITIVE_INFINITY;
    if (length === 0 || bytes.compare(before, 0, length, at - length, at) === 0) return at - length;
  }
}
