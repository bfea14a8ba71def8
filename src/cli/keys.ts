import { StringDecoder } from 'node:string_decoder';

/** A key that has a name. */
export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'wheel-up'
  | 'wheel-down'
  | 'enter'
  | 'backspace'
  | 'delete-word'
  | 'delete-line'
  | 'escape'
  | 'redraw'
  | 'interrupt'
  | 'suspend'
  | 'abort';

/** What was typed: a key, or characters that can be seen; `pasted` if the terminal says so. */
export type Key = { name: KeyName } | { text: string; pasted?: true };

const CONTROLS: Readonly<Record<string, KeyName>> = {
  '\u0003': 'interrupt',
  '\u001a': 'suspend',
  '\u001c': 'abort',
  '\u000c': 'redraw',
  '\r': 'enter',
  '\n': 'enter',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0017': 'delete-word',
  '\u0015': 'delete-line',
  // As `less` and Emacs have them.
  '\u0002': 'page-up',
  '\u0006': 'page-down',
  '\u0010': 'up',
  '\u000e': 'down',
};

/** The ends of the sequences `ESC [ …` and `ESC O …`, as xterm, the Linux console, rxvt, screen and tmux send them. */
const SEQUENCES: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  '1~': 'home',
  '7~': 'home',
  '4~': 'end',
  '8~': 'end',
  '5~': 'page-up',
  '6~': 'page-down',
  M: 'enter',
};

/** `ESC [ < BUTTON ; COLUMN ; ROW M`, where Shift, Alt and Control add 4, 8 and 16 to the button. Clicks mean nothing. */
const MOUSE = /^<(\d{1,3});\d+;\d+M$/;
const MODIFIERS = 4 | 8 | 16;
const WHEEL: Readonly<Record<number, KeyName>> = { 64: 'wheel-up', 65: 'wheel-down' };
/** How terminals report the mouse that do not know the numbers: three characters follow, which may be letters. */
const OLD_MOUSE = '\u001b[M';
const OLD_MOUSE_LENGTH = OLD_MOUSE.length + 3;

const PASTE = '200~';
const PASTE_END = '\u001b[201~';
/** More of a paste is left out: it is no filter. */
const LONGEST_PASTE = 4096;
/** Longer sequences do not exist. */
const LONGEST_SEQUENCE = 4096;

/** How long to wait for the rest of a sequence, and of a paste, milliseconds. */
const REST_MS = 50;
const REST_OF_PASTE_MS = 1000;

/**
 * Makes keys from the bytes of a terminal, however they are cut into pieces. Sequences that have no meaning here, such
 * as answers of the terminal, are dropped, and so is what is not UTF-8. No clock: the caller calls `flush` when nothing
 * has come for `waitMs`.
 */
export class KeyDecoder {
  readonly #utf8 = new StringDecoder('utf8');
  #rest = '';
  /** What was pasted so far. */
  #paste: string | undefined;

  push(bytes: Buffer): Key[] {
    this.#rest += this.#utf8.write(bytes);
    return this.#keys(false);
  }

  /** How long to wait for more before `flush` is called; undefined if nothing is expected. */
  get waitMs(): number | undefined {
    if (this.#paste !== undefined) return REST_OF_PASTE_MS;
    return this.#rest === '' ? undefined : REST_MS;
  }

  /** Nothing more has come: what could be the beginning of a sequence is a key of its own, or nothing. */
  flush(): Key[] {
    const keys = this.#keys(true);
    if (this.#paste !== undefined) {
      const pasted = this.#endPaste(this.#rest);
      this.#rest = '';
      return [...keys, ...pasted];
    }
    return keys;
  }

  #keys(last: boolean): Key[] {
    const keys: Key[] = [];
    for (;;) {
      if (this.#paste !== undefined) {
        const end = this.#rest.indexOf(PASTE_END);
        if (end === -1) {
          // The end may have come in part.
          const sure = this.#rest.length - PASTE_END.length;
          if (sure > 0) {
            this.#paste = (this.#paste + this.#rest.slice(0, sure)).slice(0, LONGEST_PASTE);
            this.#rest = this.#rest.slice(sure);
          }
          return keys;
        }
        const pasted = this.#endPaste(this.#rest.slice(0, end));
        this.#rest = this.#rest.slice(end + PASTE_END.length);
        for (const key of pasted) keys.push(key);
      } else {
        const length = this.#next(keys, last);
        if (length === 0) return keys;
        this.#rest = this.#rest.slice(length);
      }
    }
  }

  /** Adds the first key of the rest, if it has one; returns how long it was, 0 if more must come first. */
  #next(keys: Key[], last: boolean): number {
    const rest = this.#rest;
    const [first] = rest;
    if (first === undefined) return 0;
    if (first === '\u001b') return this.#sequence(keys, last);
    const control = CONTROLS[first];
    if (control !== undefined) {
      keys.push({ name: control });
      return 1;
    }
    const text = SEEN.exec(rest)?.[0];
    if (text === undefined) return first.length;
    keys.push({ text });
    return text.length;
  }

  #sequence(keys: Key[], last: boolean): number {
    const length = sequenceLength(this.#rest);
    if (length === undefined) {
      if (!last && this.#rest.length < LONGEST_SEQUENCE) return 0;
      if (this.#rest.length === 1) keys.push({ name: 'escape' });
      return this.#rest.length;
    }
    // Escape itself, or Alt with a key that follows.
    if (length === 1) keys.push({ name: 'escape' });
    const end = this.#rest.slice(2, length);
    if (end === PASTE) this.#paste = '';
    const button = MOUSE.exec(end)?.[1];
    // With Shift, Alt and Control, as in `1;5A` and `5;2~`, they are the same keys.
    const name =
      button === undefined
        ? SEQUENCES[end.replace(/^1?;\d+(?=[A-Z]$)/, '').replace(/;\d+~$/, '~')]
        : WHEEL[Number(button) & ~MODIFIERS];
    if (name !== undefined) keys.push({ name });
    return length;
  }

  #endPaste(more: string): Key[] {
    const text = [...`${this.#paste}${more}`.slice(0, LONGEST_PASTE).replace(/\s+/g, ' ').matchAll(ALL_SEEN)];
    this.#paste = undefined;
    return text.length === 0 ? [] : [{ text: text.join(''), pasted: true }];
  }
}

/** Characters that are not control characters, not invalid bytes, and not halves of one. */
const SEEN = /^(?:(?![\p{Cc}\p{Cs}\p{Cn}\ufffd])[\s\S])+/u;
const ALL_SEEN = /(?:(?![\p{Cc}\p{Cs}\p{Cn}\ufffd])[\s\S])+/gu;

const BEL = '\u0007';
const STRING_END = '\u001b\\';

/** How long the sequence is that the text begins with, 1 if Escape begins none; undefined if it may go on. */
function sequenceLength(text: string): number | undefined {
  const kind = text[1];
  if (kind === undefined) return undefined;
  if (kind === '[' || kind === 'O') {
    // Function keys of the Linux console: `ESC [ [ A`.
    if (text[2] === '[') return text.length > 3 ? 4 : undefined;
    if (text.startsWith(OLD_MOUSE)) return text.length < OLD_MOUSE_LENGTH ? undefined : OLD_MOUSE_LENGTH;
    for (let at = 2; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 0x40 && code <= 0x7e) return at + 1;
      // Not a part of a sequence: it was cut off.
      if (code < 0x20 || code > 0x7e) return at;
    }
    return undefined;
  }
  // Strings, which only answers of a terminal have.
  if (']PX^_'.includes(kind)) {
    const ends = [text.indexOf(BEL) + 1, text.indexOf(STRING_END) + STRING_END.length];
    const found = ends.filter((end, i) => end > (i === 0 ? 0 : STRING_END.length));
    return found.length === 0 ? undefined : Math.min(...found);
  }
  return 1;
}
