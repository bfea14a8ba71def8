/**
 * Words as bash passes them to a completion function, which is as they were typed, and back. Pure.
 */

/** The text that bash reads from the word, and the quote that is still open at its end. */
export function unquote(word: string): { text: string; open: '"' | "'" | undefined } {
  let text = '';
  let open: '"' | "'" | undefined;
  for (let i = 0; i < word.length; i++) {
    const char = word[i] as string;
    if (open === "'") {
      if (char === "'") open = undefined;
      else text += char;
    } else if (open === '"') {
      const next = word[i + 1];
      if (char === '"') open = undefined;
      else if (char === '\\' && next !== undefined && '$`"\\'.includes(next)) text += word[++i];
      else text += char;
    } else if (char === "'" || char === '"') {
      open = char;
    } else if (char === '\\') {
      text += word[++i] ?? '';
    } else {
      text += char;
    }
  }
  return { text, open };
}

/**
 * The candidate in the form in which bash inserts it for the typed word. Bash replaces only the part after the last
 * of its word breaks (`:` and `=` are among them), or after an open quote: the part of the candidate before that is
 * left out, and the rest is quoted. Undefined if that cannot be written.
 */
export function requote(candidate: string, typed: string, wordBreaks: string): string | undefined {
  const { open } = unquote(typed);
  const start = open === undefined ? lastBreak(typed, wordBreaks) : lastQuote(typed);
  const done = unquote(typed.slice(0, start)).text;
  if (!candidate.startsWith(done)) return undefined;
  const rest = candidate.slice(done.length);
  if (open === "'") return rest.includes("'") ? undefined : rest;
  // Between double quotes `!` recalls a line, and the backslash before it would stay.
  if (open === '"') return rest.includes('!') ? undefined : rest.replace(/[$`"\\]/g, '\\$&');
  return backslashed(rest);
}

/** Every character that is not safe everywhere in a word gets a backslash. */
function backslashed(text: string): string {
  return text.replace(/[^\w@%+=:,./^\u0080-\uffff-]/g, '\\$&');
}

/** Where the text after the last unquoted word break begins. */
function lastBreak(typed: string, wordBreaks: string): number {
  let start = 0;
  let open: string | undefined;
  for (let i = 0; i < typed.length; i++) {
    const char = typed[i] as string;
    if (open !== undefined) {
      if (char === open) open = undefined;
      else if (char === '\\' && open === '"') i++;
    } else if (char === '\\') i++;
    else if (char === '"' || char === "'") open = char;
    else if (wordBreaks.includes(char)) start = i + 1;
  }
  return start;
}

/** Where the text after the open quote begins. */
function lastQuote(typed: string): number {
  let at = 0;
  for (let i = 1; i <= typed.length; i++) {
    const now = unquote(typed.slice(0, i)).open;
    if (now === undefined) at = 0;
    else if (at === 0) at = i;
  }
  return at;
}
