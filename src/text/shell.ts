import { visible } from './escape.js';

/** What every shell reads as it is. A tilde, an equals sign or a hash at the beginning are none of it. */
const PLAIN_WORD = /^[\w@%+:,./-]+$/;

/**
 * Words as the last ones of a command that a person is told to run, from names that anybody may have chosen:
 * pasted into a shell they are these words and nothing else, and none of them a flag. What can't be seen is
 * written as bash, zsh and ksh read it in `$'…'`.
 */
export function shellArguments(...words: readonly string[]): string {
  const written = words.map(shellWord);
  return (words.some((word) => word.startsWith('-')) ? ['--', ...written] : written).join(' ');
}

function shellWord(word: string): string {
  if (PLAIN_WORD.test(word)) return word;
  if (visible(word) === word) return `'${word.replaceAll("'", "'\\''")}'`;
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
