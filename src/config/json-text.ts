import { LIMITS, limited } from './limits.js';
import { Dict, Float, type Raw } from './model.js';

/** Why a text is not JSON, and where: lines count from 1. */
export class JsonError extends Error {
  constructor(
    message: string,
    readonly line: number,
    /** The text ends in the middle of a value. */
    readonly cut: boolean,
  ) {
    super(message);
  }
}

const MAX_DEPTH = LIMITS.nesting.most;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const WORDS: readonly (readonly [string, Raw])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', new Float(Number.NaN)],
  ['Infinity', new Float(Number.POSITIVE_INFINITY)],
  ['-Infinity', new Float(Number.NEGATIVE_INFINITY)],
];

/**
 * Reads JSON as the original's `json` module did: integers and floats stay apart, and the last of duplicate keys
 * counts. `JSON.parse` would turn 5.0 into 5, and reports no line. Throws JsonError or LimitError.
 */
export function parseJson(text: string): Raw {
  return new JsonReader(text.startsWith('\ufeff') ? text.slice(1) : text).document();
}

/** A character that needs no escape: not a control character, quote or backslash. False at the end of the text. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code !== 0x22 && code !== 0x5c;
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Raw {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) throw this.#error('there is something after the end of the value');
    return value;
  }

  #value(depth: number): Raw {
    if (depth > MAX_DEPTH) throw this.#error(`it is nested more than ${MAX_DEPTH} levels deep`);
    limited('values', ++this.#values);
    this.#skip();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#word();
    }
  }

  #object(depth: number): Dict {
    const entries = new Map<string, Raw>();
    this.#at++;
    if (this.#take('}')) return new Dict([]);
    do {
      this.#skip();
      if (this.#text[this.#at] !== '"') throw this.#expected('a name in double quotes');
      const name = this.#string();
      if (!this.#take(':')) throw this.#expected(`':' after the name "${name}"`);
      entries.set(name, this.#value(depth + 1));
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#expected("',' or '}'");
    return new Dict([...entries]);
  }

  #array(depth: number): Raw[] {
    const items: Raw[] = [];
    this.#at++;
    if (this.#take(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#take(','));
    if (!this.#take(']')) throw this.#expected("',' or ']'");
    return items;
  }

  #string(): string {
    let result = '';
    for (this.#at++; ; ) {
      const from = this.#at;
      while (isPlain(this.#text.charCodeAt(this.#at))) this.#at++;
      result += this.#text.slice(from, this.#at);
      const character = this.#text[this.#at++];
      if (character === '"') return result;
      if (character !== '\\') {
        this.#at--;
        throw this.#expected('the end of a text (a newline inside is written \\n)');
      }
      result += this.#escaped();
    }
  }

  #escaped(): string {
    const letter = this.#text[this.#at++] ?? '';
    if (letter !== 'u') {
      const character = ESCAPES[letter];
      if (character === undefined) throw this.#error(`\\${letter} means nothing in JSON`);
      return character;
    }
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#expected('four hexadecimal digits after \\u');
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #word(): Raw {
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    const match = this.#match(NUMBER);
    if (match === null) throw this.#expected('a value');
    const [number, fraction, exponent] = match;
    if (fraction !== undefined || exponent !== undefined) return new Float(Number(number));
    limited('digits', number.length);
    return BigInt(number);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #skip(): void {
    this.#match(SPACE);
  }

  #take(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expected(what: string): JsonError {
    const found = this.#text[this.#at];
    if (found === undefined) return this.#error(`it ends where ${what} is expected: it looks cut off`, true);
    return this.#error(`${what} is expected, not ${JSON.stringify(found)}`);
  }

  #error(message: string, cut = false): JsonError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return new JsonError(message, line, cut);
  }
}
