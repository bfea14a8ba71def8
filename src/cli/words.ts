/**
 * The words of a command line, before oclif parses them. Pure.
 */

/** The words before `--`, which are thermos's own. */
export function ownWords(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf('--');
  return dashes === -1 ? argv : argv.slice(0, dashes);
}

/** True if one of thermos's own words is the flag. A value that looks like the flag counts too. */
export function hasFlag(argv: readonly string[], ...names: string[]): boolean {
  return ownWords(argv).some((word) => names.includes(word));
}

/**
 * Does one of the words name an agent or a master, for a command that cannot ask one? What follows the first argument of a wrapper
 * is another program's command line.
 */
export function asksAgent(argv: readonly string[], { isWrapper }: { isWrapper: boolean }): boolean {
  for (const word of ownWords(argv)) {
    if (/^--(?:agent|master)(?:=|$)/.test(word)) return true;
    if (isWrapper && !word.startsWith('-')) return false;
  }
  return false;
}

/** What the parser knows about a flag. */
export interface KnownFlag {
  /** Takes a value: `--root PATH`. */
  takesValue: boolean;
}

/**
 * The original spelled its flags with underscores, so `--task_id` is accepted for `--task-id`. Only names of
 * flags change. Values, also in `--flag=value`, and everything from `--` on stay as they are.
 */
export function dashed(argv: readonly string[], flagOf: (name: string) => KnownFlag | undefined): string[] {
  const words: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word === '--') return [...words, ...argv.slice(i)];
    const name = longName(word);
    const known = name === undefined ? undefined : dashedName(name);
    const flag = known === undefined ? undefined : flagOf(known);
    if (name === undefined || flag === undefined) {
      words.push(word);
      continue;
    }
    words.push(`--${known}${word.slice(2 + name.length)}`);
    const value = argv[i + 1];
    if (flag.takesValue && !word.includes('=') && value !== undefined && value !== '--') {
      words.push(value);
      i++;
    }
  }
  return words;
}

/** The first word that gives a value to a flag that takes none; oclif would treat it as an argument. */
export function valuedSwitch(
  argv: readonly string[],
  flagOf: (name: string) => KnownFlag | undefined,
): string | undefined {
  return ownWords(argv).find((word) => {
    const name = longName(word);
    return name !== undefined && word.includes('=') && flagOf(dashedName(name))?.takesValue === false;
  });
}

/** Splits off the flags before the command's name (`thermos --json status`), and the name. */
export function splitCommand(
  argv: readonly string[],
  flagOf: (name: string) => KnownFlag | undefined,
): { before: string[]; word: string | undefined; after: string[] } {
  let at = 0;
  while (at < argv.length) {
    const word = argv[at] as string;
    const name = longName(word);
    const flag = name === undefined ? undefined : flagOf(dashedName(name));
    if (flag === undefined) break;
    at += flag.takesValue && !word.includes('=') ? 2 : 1;
  }
  return { before: argv.slice(0, at), word: argv[at], after: argv.slice(at + 1) };
}

/** `root` of `--root` and of `--root=/x`. */
export function longName(word: string): string | undefined {
  return /^--([A-Za-z][^=]*)/.exec(word)?.[1];
}

/** The name of a flag, as oclif knows it. */
export function dashedName(name: string): string {
  return name.replaceAll('_', '-');
}
