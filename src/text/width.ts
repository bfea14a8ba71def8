import { stripVTControlCharacters } from 'node:util';

/** Made when it is needed: it costs 5 ms, and almost all text is ASCII. */
let segments: Intl.Segmenter | undefined;

/** A longer text is not a name, and is not measured character by character. */
const LONGEST_MEASURED = 4096;

/** The columns of escaped text on a terminal: two for wide characters, none for combining ones. */
export function widthOf(text: string): number {
  if (text.length > LONGEST_MEASURED) return text.length;
  // Almost every cell is ASCII, whose length is its width; string-width costs a thousand times more.
  if (isPlain(text)) return text.length;
  // Loaded when it is needed: the segmenter that it makes costs 5 ms.
  const { default: stringWidth }: typeof import('string-width') = require('string-width');
  return stringWidth(text);
}

/**
 * Cuts text to `width` columns, never inside a character, and marks the cut with an ellipsis: at the end, or
 * in the middle, so that ids with a common beginning stay distinct. Returns the text itself if it fits.
 */
export function shorten(text: string, width: number, cut: 'end' | 'middle' = 'end', mark = '…'): string {
  if (widthOf(text) <= width) return text;
  if (text.length > LONGEST_MEASURED) {
    const half = LONGEST_MEASURED / 2;
    return shorten(text.slice(0, half) + text.slice(-half), Math.min(width, half), cut, mark);
  }
  const room = width - widthOf(mark);
  if (room <= 0) return mark.slice(0, Math.max(0, width));
  if (isPlain(text)) {
    const end = cut === 'middle' ? Math.floor(room / 2) : 0;
    return text.slice(0, room - end) + mark + text.slice(text.length - end);
  }
  const characters = graphemes(text);
  const tail = cut === 'middle' ? take(characters.toReversed(), Math.floor(room / 2)).reverse() : [];
  const head = take(characters, room - widthOf(tail.join('')));
  return head.join('') + mark + tail.join('');
}

/**
 * Cuts each text in the middle to `width` columns, so that different texts stay different: where two cuts would be
 * equal, the part that distinguishes them is shown instead, between ellipses. A text for which that is too long, too,
 * is returned whole.
 */
export function shortenDistinctly(texts: readonly string[], width: number, mark = '…'): string[] {
  const cut = texts.map((text) => shorten(text, width, 'middle', mark));
  for (const same of doublesOf(texts, cut)) {
    const differences = differencesOf([...same.keys()].sort(), width, mark);
    for (const [text, places] of same) for (const at of places) cut[at] = differences.get(text) ?? text;
  }
  for (const same of doublesOf(texts, cut)) {
    for (const [text, places] of same) for (const at of places) cut[at] = text;
  }
  return cut;
}

/** The groups of different texts that are cut alike, each text with its places. */
function doublesOf(texts: readonly string[], cut: readonly string[]): Map<string, number[]>[] {
  const byCut = new Map<string, Map<string, number[]>>();
  for (const [at, text] of texts.entries()) {
    const same = byCut.get(cut[at] as string) ?? new Map<string, number[]>();
    byCut.set(cut[at] as string, same);
    const places = same.get(text);
    if (places === undefined) same.set(text, [at]);
    else places.push(at);
  }
  return [...byCut.values()].filter((same) => same.size > 1);
}

/** Of sorted texts, what is around the first character in which each differs from its neighbours. */
function differencesOf(sorted: readonly string[], width: number, mark: string): Map<string, string> {
  const found = new Map<string, string>();
  const room = width - 2 * widthOf(mark);
  const all = sorted.map((text) => (isPlain(text) ? text : graphemes(text)));
  for (const [i, text] of sorted.entries()) {
    const characters = all[i] as string | string[];
    const end = 1 + Math.max(commonStart(characters, all[i - 1]), commonStart(characters, all[i + 1]));
    const [from, to] = windowOf(characters, end, room);
    const part = characters.slice(from, to);
    const shown = typeof part === 'string' ? part : part.join('');
    found.set(text, (from > 0 ? mark : '') + shown + (to < characters.length ? mark : ''));
  }
  return found;
}

function commonStart(one: ArrayLike<string>, other: ArrayLike<string> = ''): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}

/** The characters that take at most `room` columns: those before `end`, and those after it if there is room left. */
function windowOf(characters: string | readonly string[], end: number, room: number): [number, number] {
  const wide = (i: number) => (typeof characters === 'string' ? 1 : widthOf(characters[i] as string));
  let to = Math.min(end, characters.length);
  let from = to;
  let left = room;
  while (from > 0 && wide(from - 1) <= left) {
    from -= 1;
    left -= wide(from);
  }
  while (from === 0 && to < characters.length && wide(to) <= left) {
    left -= wide(to);
    to += 1;
  }
  return [from, to];
}

function graphemes(text: string): string[] {
  segments ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(segments.segment(text), ({ segment }) => segment);
}

function take(characters: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let left = width;
  for (const character of characters) {
    left -= widthOf(character);
    if (left < 0) break;
    taken.push(character);
  }
  return taken;
}

/** Is it only printable ASCII and the ellipsis of a cut, with one column for each character? */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code > 0x7e && code !== 0x2026)) return false;
  }
  return true;
}

/** The columns of a coloured line. */
export function paintedWidth(line: string): number {
  return widthOf(stripVTControlCharacters(line));
}

/** The first `width` columns of a coloured line, with all of its colour codes, so that no colour stays on. */
export function cutPainted(line: string, width: number): string {
  let left = width;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
  return line.replace(/(\u001b\[[\d;]*m)|[^\u001b]+/g, (text, colour: string | undefined) => {
    if (colour !== undefined) return colour;
    const shown =
      widthOf(text) <= left ? text : take(graphemes(text.slice(0, LONGEST_MEASURED)), left).join('');
    left = shown === text ? left - widthOf(text) : 0;
    return shown;
  });
}

/**
 * A coloured line without its first `width` columns, with all of its colour codes. A wide character of which half would
 * be left is replaced by a blank.
 */
export function dropPainted(line: string, width: number): string {
  let left = width;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
  return line.replace(/(\u001b\[[\d;]*m)|[^\u001b]+/g, (text, colour: string | undefined) => {
    if (colour !== undefined || left === 0) return text;
    if (text.length > LONGEST_MEASURED || isPlain(text)) {
      const dropped = Math.min(left, text.length);
      left -= dropped;
      return text.slice(dropped);
    }
    let kept = '';
    for (const character of graphemes(text)) {
      const wide = widthOf(character);
      if (left === 0) kept += character;
      else if (wide > left) {
        kept += ' '.repeat(wide - left);
        left = 0;
      } else left -= wide;
    }
    return kept;
  });
}

/** Cuts text into pieces of at most `width` columns (one character at least), never inside a character. */
export function splitAt(text: string, width: number): string[] {
  if (text.length <= width && isPlain(text)) return [text];
  const pieces: string[] = [];
  if (isPlain(text)) {
    for (let at = 0; at < text.length; at += Math.max(1, width)) {
      pieces.push(text.slice(at, at + Math.max(1, width)));
    }
    return pieces;
  }
  let piece = '';
  let used = 0;
  for (const character of graphemes(text)) {
    const wide = widthOf(character);
    if (used > 0 && used + wide > width) {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += character;
    used += wide;
  }
  return [...pieces, piece];
}

/** Lines of at most `width` columns, broken between words, or inside one that is wider. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].flatMap((each) => splitAt(each, width));
}

/** The rows that lines take on a terminal of `width` columns, which breaks those that are wider. */
export function screenRows(text: string, width: number): number {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.reduce((rows, line) => {
    const text = stripVTControlCharacters(line);
    return (
      rows + (text.length > LONGEST_MEASURED ? Math.ceil(text.length / width) : splitAt(text, width).length)
    );
  }, 0);
}
