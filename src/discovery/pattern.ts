/** True if the whole id, or in a reading "to look" its beginning, is meant by the word. */
export type IdTest = (id: string) => boolean;

/** `*`, `?` or `[…]` is in it. */
export function hasGlobCharacters(word: string): boolean {
  return /[*?]|\[[^\]]+\]/.test(word);
}

/**
 * Would a person say that this is a glob? Both kinds of patterns have `*`, `?` and `[…]`. In a regular
 * expression a `*` or `?` follows what it repeats, mostly `.`, `]` or `)`; and any of `\ ^ $ + | ( ) { }`
 * speaks for one. `web-*` and `*.prod.*` are globs; `web-.*`, `web-[0-9]*` and `web-(1|2)` are not.
 */
export function looksLikeGlob(word: string): boolean {
  if (!hasGlobCharacters(word) || /[\\^$+|(){}]/.test(word)) return false;
  return !/[\].][*?]/.test(word) || /^[*?]/.test(word);
}

/** The glob as a test of whole ids: `*` any characters, `?` one, `[a-z]`, `[!a-z]`; all others themselves. */
export function globTest(word: string): IdTest {
  let source = '';
  for (let i = 0; i < word.length; i++) {
    const char = word[i] as string;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (char === '[') {
      // A `]` right at the start stands for itself.
      const negated = word[i + 1] === '!' || word[i + 1] === '^';
      const start = negated ? i + 2 : i + 1;
      const end = word.indexOf(']', start + 1);
      if (end === -1) {
        source += '\\[';
        continue;
      }
      source += `[${negated ? '^' : ''}${word.slice(start, end).replace(/[\\\]^[]/g, '\\$&')}]`;
      i = end;
    } else source += char.replace(/[\\^$+|(){}.\]/]/g, '\\$&');
  }
  try {
    // Many stars in a row would take exponential time for the same answer.
    const pattern = new RegExp(`^(?:${source.replace(/(?:\.\*)+/g, '.*')})$`, 'su');
    return (id) => pattern.test(id);
  } catch {
    // A range like [z-a] holds nothing.
    return () => false;
  }
}

/** The regular expression, anchored at the start, or for the whole id. Throws SyntaxError if it is none. */
export function regExpTest(word: string, whole: boolean): IdTest {
  // Alone first: `a)|(?:b` would be valid between our parentheses, and no longer anchored.
  compile(word);
  const pattern = compile(`^(?:${word})${whole ? '$' : ''}`);
  return (id) => pattern.test(id);
}

/** With `u` a character is a character; without it, escapes that Python allows, like `\-`, are allowed. */
function compile(source: string): RegExp {
  try {
    return new RegExp(source, 'su');
  } catch {
    return new RegExp(source, 's');
  }
}
