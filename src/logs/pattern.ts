import { RE2JS, RE2JSException } from 're2js';
import { UsageError } from '../errors/errors.js';
import { foldedSearch } from './folded-search.js';
import { type Automaton, LineAutomaton } from './line-automaton.js';
import { ExactSearch, type LineFinder, LiteralFinder } from './literal-finder.js';

/** Regular expressions of one flag. A line matches if one of them does. */
export interface LinePattern {
  /** Finds the lines that match. Each log needs its own, because it learns what is rare there. */
  finder(): LineFinder;
  /** The spans of a line that match, for showing: `[from, to)` in UTF-16 units, ascending. */
  spans(line: string): [number, number][];
}

/** No more literals than this are searched for one after the other. */
const MOST_LITERALS = 4;
/** A span is searched for in this many characters at the start of a line: to find all takes more than linear time. */
const LONGEST_MARKED = 16 * 1024;
const MOST_MARKED = 1000;

/**
 * The pattern of a flag's values, in the syntax of RE2, as in stern: what has linear time, so no lookaround and no
 * backreference. `^` and `$` are the ends of a line; bytes that are not UTF-8 are U+FFFD. Throws UsageError
 * `bad-pattern`, which says where.
 */
export function linePattern(flag: string, texts: readonly string[], ignoreCase: boolean): LinePattern {
  const flags = ignoreCase ? RE2JS.CASE_INSENSITIVE : 0;
  for (const text of texts) compile(flag, text, flags);
  const all = texts.length === 1 ? (texts[0] as string) : texts.map((text) => `(?:${text})`).join('|');
  const compiled = compile(flag, all, flags);
  // With their case, literals are seen in the pattern; of those without, some case is in each line that matches.
  const exact = ignoreCase ? compile(flag, all, 0) : compiled;
  const { prefilter, prefix, prefixComplete } = exact.re2() as unknown as Compiled;
  const { prog } = compiled.re2() as unknown as Compiled;
  const literals = literalsOf(prefilter);
  const [only] = literals ?? [];
  const isLiteral =
    prefixComplete && prefix === only && literals?.length === 1 && !prefix.includes('\n') && prefix !== '';
  const automaton = new LineAutomaton(prog);
  return {
    finder: () => {
      if (literals === undefined) return automaton;
      if (!ignoreCase) return new LiteralFinder(new ExactSearch(literals), automaton, isLiteral);
      const search = foldedSearch(literals);
      const isAscii = /^[\0-\x7f]*$/.test(prefix);
      return search === undefined ? automaton : new LiteralFinder(search, automaton, isLiteral && isAscii);
    },
    spans: (line) => spansOf(compiled, line),
  };
}

function spansOf(pattern: RE2JS, line: string): [number, number][] {
  const matcher = pattern.matcher(line.slice(0, LONGEST_MARKED));
  const spans: [number, number][] = [];
  while (spans.length < MOST_MARKED && matcher.find()) {
    if (matcher.end() > matcher.start()) spans.push([matcher.start(), matcher.end()]);
  }
  return spans;
}

/** What a compiled pattern of re2js has inside. Its types do not declare all of it; the version is pinned. */
interface Compiled {
  prog: Automaton;
  prefilter: Prefilter | null;
  /** A literal that every match begins with, and whether it is all of the match. */
  prefix: string;
  prefixComplete: boolean;
}

/** What a text that matches must contain. `type`: 1 the literal `str`, 2 all of `subs`, 3 one of them. */
interface Prefilter {
  type: number;
  str: string;
  subs: Prefilter[];
}

/** Literals of which each match contains at least one. */
function literalsOf(prefilter: Prefilter | null): string[] | undefined {
  if (prefilter === null) return undefined;
  const { type, str, subs } = prefilter;
  if (type === 1) return [str];
  const parts = subs.map(literalsOf);
  if (type === 3) {
    const all = parts.flatMap((part) => part ?? []);
    return parts.includes(undefined) || all.length > MOST_LITERALS ? undefined : all;
  }
  // Long literals are rare.
  const rarity = (literals: readonly string[]) =>
    Math.min(...literals.map(({ length }) => length)) / literals.length;
  return parts
    .filter((part) => part !== undefined)
    .sort((a, b) => rarity(b) - rarity(a))
    .at(0);
}

function compile(flag: string, text: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(text, flags);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const { what, where } = mistakeOf(error, text, flags);
    throw new UsageError(
      'bad-pattern',
      `--${flag} takes a regular expression, and '${text}' is not one: ${what} at character ${where + 1}`,
      'the syntax is that of RE2: no lookaround and no backreference; \\ before a character takes it literally',
    );
  }
}

function mistakeOf(error: RE2JSException, text: string, flags: number): { what: string; where: number } {
  const { error: what = error.message, input } = error as { error?: string; input?: string | null };
  if (what === 'missing closing )' || what === 'unexpected )') {
    return {
      what: what === 'missing closing )' ? 'a ( without its )' : 'a ) without its (',
      where: lonely(text),
    };
  }
  if (input === undefined || input === null || input === '')
    return { what, where: Math.max(0, text.length - 1) };
  for (let at = text.indexOf(input); at !== -1; at = text.indexOf(input, at + 1)) {
    if (isBeginning(text.slice(0, at), flags)) return { what: `${what} ${input}`, where: at };
  }
  return { what: `${what} ${input}`, where: Math.max(0, text.indexOf(input)) };
}

/** True if the text is a pattern, or would be one if its groups were closed. */
function isBeginning(text: string, flags: number): boolean {
  try {
    RE2JS.compile(text, flags);
    return true;
  } catch (error) {
    return (error as { error?: string }).error === 'missing closing )';
  }
}

/** Where the first closing parenthesis without an opening one is, else the last opening one without a closing one. */
function lonely(text: string): number {
  const open: number[] = [];
  let inClass = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') {
      if (text[at + 1] === 'Q') at = Math.max(at, text.indexOf('\\E', at));
      at += 1;
    } else if (inClass) {
      inClass = char !== ']';
    } else if (char === '[') {
      inClass = true;
      // A closing bracket that comes first belongs to the class.
      if (text[at + 1] === '^') at += 1;
      if (text[at + 1] === ']') at += 1;
    } else if (char === '(') {
      open.push(at);
    } else if (char === ')' && open.pop() === undefined) {
      return at;
    }
  }
  return open.at(-1) ?? 0;
}
