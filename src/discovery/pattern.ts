/** True if the word matches the id. */
export type IdTest = (id: string) => boolean;

/** True if the word contains `*`, `?` or `[…]`. */
export function hasGlobCharacters(word: string): boolean {
  return /[*?]|\[[^\]]+\]/.test(word);
}

/**
 * Whether a person would call this a glob. Both kinds of patterns have `*`, `?` and `[…]`. In a regular
 * expression a `*` or `?` follows the element that it repeats, mostly `.`, `]` or `)`; and any of `\ ^ $ + | ( ) { }`
 * indicates a regular expression. `web-*` and `*.prod.*` are globs; `web-.*`, `web-[0-9]*` and `web-(1|2)` are not.
 */
export function looksLikeGlob(word: string): boolean {
  if (!hasGlobCharacters(word) || /[\\^$+|(){}]/.test(word)) return false;
  return !/[\].][*?]/.test(word) || /^[*?]/.test(word);
}

/** The glob as a test of whole ids: `*`, `?`, `[a-z]` and `[!a-z]`; other characters match themselves. */
export function globTest(word: string): IdTest {
  let source = '';
  for (let i = 0; i < word.length; i++) {
    const char = word[i] as string;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (char === '[') {
      // A `]` right at the start is literal.
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
    // A range like [z-a] matches nothing.
    return () => false;
  }
}

/** The regular expression as a test, anchored at the start, or for the whole id. Throws SyntaxError if invalid. */
export function regExpTest(word: string, whole: boolean): IdTest {
  // Compile it alone first: `a)|(?:b` would be valid inside our parentheses, but not anchored.
  compile(word);
  const pattern = compile(`^(?:${word})${whole ? '$' : ''}`);
  return (id) => pattern.test(id);
}

/**
 * `ROLE/ENV`, `ROLE/ENV/JOB/INSTANCE`, with the start of a uuid behind it as `status` shows it, with a cluster in front;
 * not a path that starts at `/`, `.` or `..`.
 */
const JOB_KEY = /^\w[\w.-]*(?:\/\w[\w.-]*){1,5}\/?$/;

/** The longest key that has no cluster in front of it is `ROLE/ENV/JOB`; with an instance or a cluster, it has four parts. */
const PARTS_OF_KEY = 3;

/** What follows the key of a job, or of an instance, in an id. */
const INSTANCE = /^(?:\d+-)?[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** `INSTANCE/UUID` or the start of the uuid, at the end of a key. */
const START_OF_UUID = /-\d+-[\da-f]{8}[\da-f-]*$/;

/** Ids begin with milliseconds until Aurora 0.12. */
const MILLISECONDS = /^\d{13}-/;

/**
 * A job's key as tests of Aurora's ids (`ROLE-ENV-JOB-INSTANCE-UUID`), the strictest first: the instances of exactly
 * that job, or that one instance; ids that begin with the words of the key; the same without a cluster in front. Empty if
 * the word is not such a key.
 */
export function jobKeyTests(word: string): IdTest[] {
  if (!JOB_KEY.test(word)) return [];
  const parts = word.replace(/\/$/, '').split('/');
  const keys = parts.length > PARTS_OF_KEY ? [parts, parts.slice(1)] : [parts];
  return keys.flatMap((key) => {
    const start = key.join('-');
    const ofInstance: (rest: string) => boolean = (rest) => rest[0] === '-' && INSTANCE.test(rest.slice(1));
    const ofWord: (rest: string) => boolean = (rest) => rest[0] === '-';
    // The start of a uuid may look like an instance: the job could be called `JOB-0-12345678`.
    const readings = START_OF_UUID.test(start) ? [() => true] : [ofInstance, ofWord];
    return readings.map((fits) => (id: string) => {
      const own = id.replace(MILLISECONDS, '');
      return own.startsWith(start) && fits(own.slice(start.length));
    });
  });
}

/** With `u`, patterns match code points; without it, escapes that Python allows, like `\-`, are valid. */
function compile(source: string): RegExp {
  try {
    return new RegExp(source, 'su');
  } catch {
    return new RegExp(source, 's');
  }
}
