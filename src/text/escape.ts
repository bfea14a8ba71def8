/**
 * Invisible characters: categories C (control, format, private use, not assigned, lone surrogates) and Z (blanks and
 * line ends, except the space itself), those that Unicode lets programs ignore for display, and those that are drawn as
 * a blank or not at all although Unicode classifies them as letters, signs or marks.
 */
const INKLESS = String.raw`\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\u2d7f\ufffc\u{1107f}\u{13441}\u{13442}\u{16fe4}\u{1d159}`;
/** Printable ASCII is excluded first, because most text is ASCII. */
export const UNSEEN = `(?![ -~])[${INKLESS}]`;
/**
 * A combining mark at the beginning would combine with what precedes the text. Made when used: V8 needs 0.6 ms for the
 * classes of Unicode.
 */
let shownEscaped: RegExp | undefined;

/** Almost all text is plain, and every cell is tested. */
export const PLAIN = /^[ -~]*$/;

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e', '\0': '\\0' };

/**
 * Text from a disk, a command line or another program, made safe to show: everything that is invisible, or that moves
 * visible text, becomes `\n`, `\e`, `\u{200b}` and so on. So a name with such a character never looks like one without
 * it. Letters of all scripts are kept, with their marks. Joiners (U+200C, U+200D) and variation selectors are not,
 * although some scripts and emoji need them, because they can be where nobody sees them.
 */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  shownEscaped ??= new RegExp(String.raw`^\p{M}+|${UNSEEN}`, 'gu');
  return text.replace(shownEscaped, (found) => [...found].map(escaped).join(''));
}

function escaped(char: string): string {
  return SHORT[char] ?? `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
}

/** What a terminal obeys, or what reorders text on it; not the tab, which only moves on. */
const CONTROLS = /(?!\t)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** A line of a log for a terminal: control characters are escaped as in `visible`, and all other text is kept. */
export function visibleLine(text: string): string {
  return PLAIN.test(text) ? text : text.replace(CONTROLS, escaped);
}

/** As `visibleLine`, for text of several lines. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visibleLine).join('\n');
}
