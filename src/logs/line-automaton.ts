import { endOfLine, type LineFinder } from './literal-finder.js';

/** A regular expression as re2js compiles it: Thompson's automaton. */
export interface Automaton {
  readonly start: number;
  readonly inst: readonly Instruction[];
}

interface Instruction {
  readonly op: number;
  readonly out: number;
  /** The other branch of ALT; the conditions of EMPTY_WIDTH. */
  readonly arg: number;
  matchRune(rune: number): boolean;
}

const ALT = 1;
const ALT_MATCH = 2;
const CAPTURE = 3;
const EMPTY_WIDTH = 4;
const MATCH = 6;
const NOP = 7;
const FIRST_RUNE = 8;
const LAST_RUNE = 11;

/** The conditions of EMPTY_WIDTH: the beginning or the end of the line or the text, a word's boundary or none. */
const BEGINS = 1 | 4;
const ENDS = 2 | 8;
const BOUNDARY = 16;
const NO_BOUNDARY = 32;

const NEWLINE = 10;
const END = -1;
/** What stands for a byte that is not UTF-8. */
const REPLACEMENT = 0xfffd;
/** States of the table. What is not known yet is computed when it is met. */
const UNKNOWN = 0;
const FOUND = 1;
const START = 2;
/** A table of this many states has 2 MiB. If a log needs more, it begins again with an empty one. */
const MOST_STATES = 2048;

interface State {
  /** Where the automaton may be, ascending, before what depends on the next character. */
  at: readonly number[];
  begins: boolean;
  afterWord: boolean;
  /** The first bytes of a character. */
  bytes: readonly number[];
}

/**
 * Finds the lines that match a regular expression, as a deterministic automaton over bytes, of which only the states
 * that a log needs are made. Each byte is looked at once, whatever the expression and the log are: there is nothing to
 * go back to, and nothing is decoded.
 */
export class LineAutomaton implements LineFinder {
  readonly #program: Automaton;
  /** Whether it matters what is before a character: there are fewer states if it doesn't. */
  readonly #asksForBegin: boolean;
  readonly #asksForWords: boolean;
  /** By state and byte: the state that the byte leads to, times 256. */
  #table = new Int32Array(0);
  #states: State[] = [];
  #ids = new Map<string, number>();

  constructor(program: Automaton) {
    this.#program = program;
    const conditions = program.inst.reduce((all, { op, arg }) => (op === EMPTY_WIDTH ? all | arg : all), 0);
    this.#asksForBegin = (conditions & BEGINS) !== 0;
    this.#asksForWords = (conditions & (BOUNDARY | NO_BOUNDARY)) !== 0;
    this.#reset();
  }

  each(bytes: Buffer, found: (start: number, end: number) => void): void {
    for (let line = 0; line < bytes.length; ) {
      const at = this.#found(bytes, line, bytes.length);
      if (at === -1) return;
      const start = at <= line ? line : Math.max(line, bytes.lastIndexOf(NEWLINE, at - 1) + 1);
      line = endOfLine(bytes, at);
      found(start, line);
    }
  }

  /** Whether the line matches that begins and ends there, with or without its newline. */
  matches(bytes: Buffer, start: number, end: number): boolean {
    return this.#found(bytes, start, end) !== -1;
  }

  /** An offset in the first line that matches, from the beginning of a line on; -1 if none does. */
  #found(bytes: Buffer, from: number, to: number): number {
    let table = this.#table;
    // A state is where its row of the table begins.
    let row = START << 8;
    let at = from;
    while (at < to) {
      const next = table[row | (bytes[at] as number)] as number;
      if (next === row) {
        // Most bytes lead back to where they come from: to see that, none has to wait for the one before it.
        do at += 1;
        while (at < to && table[row | (bytes[at] as number)] === row);
      } else if (next > FOUND << 8) {
        row = next;
        at += 1;
      } else if (next === FOUND << 8) {
        return at;
      } else {
        if (this.#states.length >= MOST_STATES) row = this.#forgetAllBut(row >> 8) << 8;
        this.#move(row >> 8, bytes[at] as number);
        table = this.#table;
      }
    }
    if (to === from || bytes[to - 1] === NEWLINE) return -1;
    return this.#atEnd(row >> 8) === FOUND ? to - 1 : -1;
  }

  #reset(): void {
    this.#table = new Int32Array(16 << 8);
    this.#states = [];
    this.#ids = new Map();
    // UNKNOWN and FOUND are not states, but have numbers as states do.
    const none = { at: [], begins: false, afterWord: false, bytes: [] };
    this.#states.push(none, none);
    this.#idOf({ at: [this.#program.start], begins: this.#asksForBegin, afterWord: false, bytes: [] });
  }

  #forgetAllBut(id: number): number {
    const state = this.#states[id] as State;
    this.#reset();
    return this.#idOf(state);
  }

  #idOf(state: State): number {
    const { at, begins, afterWord, bytes } = state;
    const key = `${at.join()} ${begins} ${afterWord} ${bytes.join()}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#states.push(state) - 1;
    this.#ids.set(key, id);
    if (id << 8 >= this.#table.length) {
      const larger = new Int32Array(this.#table.length * 2);
      larger.set(this.#table);
      this.#table = larger;
    }
    return id;
  }

  /** Where a byte leads to. */
  #move(id: number, byte: number): number {
    if (id === FOUND) return FOUND;
    const known = this.#table[(id << 8) | byte] as number;
    if (known !== UNKNOWN) return known >> 8;
    const to = this.#moved(id, byte);
    this.#table[(id << 8) | byte] = to << 8;
    return to;
  }

  #moved(id: number, byte: number): number {
    const state = this.#states[id] as State;
    const bytes = [...state.bytes, byte];
    const [first = 0] = bytes;
    if (first === NEWLINE) return this.#atEnd(id) === FOUND ? FOUND : START;
    if (first < 0x80) return this.#step(state, first);
    const isContinued = bytes.slice(1).every((each) => (each & 0xc0) === 0x80);
    if (isContinued && bytes.length < lengthOf(first)) return this.#idOf({ ...state, bytes });
    const rune = isContinued ? runeOf(bytes) : undefined;
    if (rune !== undefined) return this.#step(state, rune);
    // As in RE2, the first byte counts alone. What came after it may be the beginning of a character.
    let to = this.#step(state, REPLACEMENT);
    for (const each of bytes.slice(1)) to = this.#move(to, each);
    return to;
  }

  #atEnd(id: number): number {
    const state = this.#states[id] as State;
    const [, ...rest] = state.bytes;
    if (state.bytes.length === 0) return this.#step(state, END);
    let to = this.#step(state, REPLACEMENT);
    for (const each of rest) to = this.#move(to, each);
    return to === FOUND ? FOUND : this.#atEnd(to);
  }

  /** Where a character leads to, or the end of the line. */
  #step(state: State, rune: number): number {
    const isWord = this.#asksForWords && isWordRune(rune);
    let conditions = isWord === state.afterWord ? NO_BOUNDARY : BOUNDARY;
    if (state.begins) conditions |= BEGINS;
    if (rune === END) conditions |= ENDS;
    const { inst, start } = this.#program;
    const at = new Set<number>();
    for (const pc of this.#reached(state.at, conditions)) {
      const { op, out } = inst[pc] as Instruction;
      if (op === MATCH) return FOUND;
      if (op < FIRST_RUNE || op > LAST_RUNE || rune === END) continue;
      if ((inst[pc] as Instruction).matchRune(rune)) at.add(out);
    }
    if (rune === END) return START;
    // A match may begin at each character.
    at.add(start);
    const to = { at: [...at].sort((a, b) => a - b), begins: false, afterWord: isWord, bytes: [] };
    // What already matches does not depend on what follows.
    for (const pc of this.#reached(to.at, 0)) if (inst[pc]?.op === MATCH) return FOUND;
    return this.#idOf(to);
  }

  /** What is reached without a character, under these conditions. */
  #reached(from: readonly number[], conditions: number): Set<number> {
    const { inst } = this.#program;
    const reached = new Set<number>();
    const next = [...from];
    for (let pc = next.pop(); pc !== undefined; pc = next.pop()) {
      if (reached.has(pc)) continue;
      reached.add(pc);
      const { op, out, arg } = inst[pc] as Instruction;
      if (op === ALT || op === ALT_MATCH) next.push(out, arg);
      else if (op === NOP || op === CAPTURE || (op === EMPTY_WIDTH && (arg & ~conditions) === 0))
        next.push(out);
    }
    return reached;
  }
}

/** Only ASCII has words in RE2. */
function isWordRune(rune: number): boolean {
  return (
    (rune >= 48 && rune <= 57) || (rune >= 65 && rune <= 90) || rune === 95 || (rune >= 97 && rune <= 122)
  );
}

/** How many bytes a character has that begins with this one; 1 if none does. */
function lengthOf(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The character of these bytes, if they are all of one. */
function runeOf(bytes: readonly number[]): number | undefined {
  if (bytes.length !== lengthOf(bytes[0] as number) || bytes.length === 1) return undefined;
  const text = Buffer.from(bytes).toString('utf8');
  const rune = text.codePointAt(0) as number;
  const isWhole = String.fromCodePoint(rune) === text && Buffer.byteLength(text) === bytes.length;
  return isWhole && (rune !== REPLACEMENT || bytes[0] === 0xef) ? rune : undefined;
}
