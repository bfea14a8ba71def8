import { visible } from './escape.js';

/** What every shell reads literally: without a tilde, an equals sign or a hash. */
const PLAIN_WORD = /^[\w@%+:,./-]+$/;

/**
 * The last words of a command that a person is advised to run, from names that anybody may have chosen. Pasted into a
 * shell, they are exactly these words, and none of them is a flag. Invisible characters are written as bash, zsh and ksh
 * read them in `$'…'`.
 */
export function shellArguments(...words: readonly string[]): string {
  return shellWords(words.some((word) => word.startsWith('-')) ? ['--', ...words] : words);
}

/** The words as one line that any shell reads as exactly these words. */
export function shellWords(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

/** The word for a script that nobody reads: any shell reads it as it is, with everything in it. */
export function quoted(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function shellWord(word: string): string {
  if (PLAIN_WORD.test(word)) return word;
  if (visible(word) === word) return quoted(word);
  const shown = [...word].map((char) => (/['\\]/.test(char) ? `\\${char}` : unseenText(char)));
  return `$'${shown.join('')}'`;
}

function unseenText(char: string): string {
  if (visible(char) === char) return char;
  const point = char.codePointAt(0) as number;
  return point > 0xffff
    ? `\\U${point.toString(16).padStart(8, '0')}`
    : `\\u${point.toString(16).padStart(4, '0')}`;
}
