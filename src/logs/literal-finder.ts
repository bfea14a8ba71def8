const NEWLINE = 10;
/** After this many bytes, it is known which bytes of the literals are rare in the log. */
const SAMPLE = 32 * 1024;

/** At least this many bytes are searched for: fewer are found too often. */
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

/** A search for literals in pieces of a log. */
export interface LiteralSearch {
  /** To be called with each piece first. False if literals may be in it that are not found. */
  begin(bytes: Buffer): boolean;
  /** Where the next literal in the piece is, from an offset on that is not before that of the last call. */
  next(from: number): number | undefined;
  /** Whether a line contains one, if that is known faster than by the other calls. */
  isIn?(line: Buffer): boolean;
}

/**
 * Finds lines that contain one of the literals of a search and that `check` finds too. `certain`: it finds all that
 * contain one.
 */
export class LiteralFinder implements LineFinder {
  readonly #search: LiteralSearch;
  readonly #check: LineFinder;
  readonly #certain: boolean;
  /** How many lines with a literal `check` did not find, in how many bytes. */
  #rejected = 0;
  #bytes = 0;

  constructor(search: LiteralSearch, check: LineFinder, certain: boolean) {
    this.#search = search;
    this.#check = check;
    this.#certain = certain;
  }

  each(bytes: Buffer, found: (start: number, end: number) => void): void {
    if (this.#rejected * WORTH <= this.#bytes && this.#search.begin(bytes))
      this.#eachWithLiteral(bytes, found);
    else this.#check.each(bytes, found);
  }

  #eachWithLiteral(bytes: Buffer, found: (start: number, end: number) => void): void {
    this.#bytes += bytes.length;
    for (let line = 0; line < bytes.length; ) {
      const at = this.#search.next(line);
      if (at === undefined) return;
      const start = at === 0 ? 0 : bytes.lastIndexOf(NEWLINE, at - 1) + 1;
      line = endOfLine(bytes, at);
      if (this.#certain || this.#check.matches(bytes, start, line)) found(start, line);
      else this.#rejected += 1;
    }
  }

  matches(bytes: Buffer, start: number, end: number): boolean {
    if (this.#certain && this.#search.isIn !== undefined)
      return this.#search.isIn(bytes.subarray(start, end));
    return this.#check.matches(bytes, start, end);
  }
}

/** Searches each literal from its rarest byte on: a search for bytes is fast from one place with the first byte to the next. */
export class ExactSearch implements LiteralSearch {
  readonly #literals: readonly Buffer[];
  #bytes: Buffer = Buffer.alloc(0);
  #searched: readonly Searched[] = [];
  #isSampled = false;

  constructor(literals: readonly string[]) {
    this.#literals = literals.map((literal) => Buffer.from(literal));
  }

  begin(bytes: Buffer): boolean {
    this.#bytes = bytes;
    if (!this.#isSampled) {
      const counts = countsOf(bytes);
      this.#searched = this.#literals.map((literal) => searchedOf(literal, counts));
      this.#isSampled = bytes.length >= SAMPLE;
    }
    for (const each of this.#searched) each.at = -1;
    return true;
  }

  next(from: number): number | undefined {
    return firstOf(this.#searched, this.#bytes, from);
  }

  isIn(line: Buffer): boolean {
    return this.#literals.some((literal) => line.includes(literal));
  }
}

/** How often each byte is at the beginning of a piece. */
function countsOf(bytes: Buffer): Uint32Array {
  const counts = new Uint32Array(256);
  for (const byte of bytes.subarray(0, SAMPLE)) counts[byte] = (counts[byte] as number) + 1;
  return counts;
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
