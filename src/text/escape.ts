/**
 * What can't be seen. Categories C (control, format, private use, not assigned, lone surrogates) and Z (blanks,
 * line ends; only the space itself is one), what Unicode says may be left out when it is shown, and those that
 * are drawn as a blank or not at all though Unicode calls them letters, signs or marks.
 */
const INKLESS = String.raw`\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\u2d7f\ufffc\u{1107f}\u{13441}\u{13442}\u{16fe4}\u{1d159}`;
/** Of ASCII this is certain at a glance, and most of all text is ASCII. */
export const UNSEEN = `(?![ -~])[${INKLESS}]`;
/** A combining mark at the beginning hangs on what stands before the text. */
const SHOWN_ESCAPED = new RegExp(String.raw`^\p{M}+|${UNSEEN}`, 'gu');

/** Nearly all text is this, and it is asked of every cell. */
export const PLAIN = /^[ -~]*$/;

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e', '\0': '\\0' };

/**
 * Text from a disk, a command line or another program, safe to show to a person: everything that can't be seen,
 * or that moves what is seen, becomes `\n`, `\e`, `\u{200b}` and so on. So a name with such a character never
 * looks like one without. Letters of all scripts stay, with the marks on them. Joiners (U+200C, U+200D) and
 * variation selectors don't, though some scripts and emoji are written with them: they can stand where nobody
 * sees them.
 */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : text.replace(SHOWN_ESCAPED, (found) => [...found].map(escaped).join(''));
}

function escaped(char: string): string {
  return SHORT[char] ?? `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
}
