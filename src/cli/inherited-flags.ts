/**
 * The flags that every command of the original inherited from its libraries, twitter.common.app and twitter.common.log.
 * Old scripts give them. Pure.
 */
import { dashedName, type KnownFlag, longName } from './words.js';

interface InheritedFlag extends KnownFlag {
  /** Its value is a level of a log, and nothing else. */
  level?: boolean;
  /** The flag of ours that does the same, in the commands that have it. */
  same?: string;
  /** True if what it asks for is the case anyway. */
  holds?: (value: string) => boolean;
  /** Why it is refused. */
  refusal?: string;
}

const SWITCH: InheritedFlag = { takesValue: false };
const VALUE: InheritedFlag = { takesValue: true };
const LEVEL: InheritedFlag = { takesValue: true, level: true };
const NO_LOG: InheritedFlag = { ...LEVEL, holds: (level) => /(^|:)NONE$/.test(level) };

const INHERITED: Readonly<Record<string, InheritedFlag>> = {
  app_daemonize: { ...SWITCH, same: 'daemon' },
  app_daemon_stdout: VALUE,
  app_daemon_stderr: VALUE,
  app_pidfile: VALUE,
  app_debug: { ...SWITCH, same: 'debug' },
  app_profiling: SWITCH,
  app_profile_output: VALUE,
  // In the original, it keeps the command from doing its work.
  app_rc_filename: { ...SWITCH, refusal: 'thermos has no file of default flags' },
  app_ignore_rc_file: { ...SWITCH, holds: () => true },
  log_to_stdout: LEVEL,
  log_to_stderr: LEVEL,
  log_to_disk: NO_LOG,
  log_to_scribe: NO_LOG,
  log_dir: VALUE,
  log_simple: SWITCH,
  scribe_category: VALUE,
  scribe_buffer: SWITCH,
  scribe_host: VALUE,
  scribe_port: VALUE,
};

/** The original's `--log_to_…` take one of these, also after the name of a format. */
const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'];
const IS_LEVEL = new RegExp(`^((google|plain):)?(${LEVELS.join('|')})$`);

/** What the inherited flags of a command line come to. */
export interface WithoutInherited {
  /** The words without them; those that have a flag of ours are replaced by it. */
  readonly words: string[];
  /** Those that do nothing, as the original spells them, each once. */
  readonly inert: readonly string[];
  /** What is wrong with the first wrong one; the words end before it. */
  readonly wrong?: string;
}

/** What a command knows about its own flags; they win over inherited ones. */
export interface OwnFlags {
  flagOf(name: string): KnownFlag | undefined;
  /** By a word such as `-n`. */
  shortFlagOf(word: string): KnownFlag | undefined;
  /** What follows its first argument is another program's command line. */
  readonly isWrapper: boolean;
}

/** The inherited flag with a name, with underscores or hyphens; undefined if there is none. */
export function inheritedFlag(name: string): KnownFlag | undefined {
  return find(name)?.[1];
}

/** Takes the inherited flags out of a command line. The words from `--` on stay as they are. */
export function withoutInherited(argv: readonly string[], own: OwnFlags): WithoutInherited {
  const words: string[] = [];
  const inert = new Set<string>();
  const sames = new Set<string>();
  let rest: readonly string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    const isArgument = !word.startsWith('-') || word === '-';
    if (word === '--' || (isArgument && own.isWrapper)) {
      rest = argv.slice(i);
      break;
    }
    const name = longName(word);
    const known = name === undefined ? own.shortFlagOf(word) : own.flagOf(dashedName(name));
    const found = name === undefined || known !== undefined ? undefined : find(name);
    const given = word.includes('=') ? word.slice(word.indexOf('=') + 1) : undefined;
    const next = argv[i + 1] === '--' ? undefined : argv[i + 1];
    const takesNext = (known ?? found?.[1])?.takesValue === true && given === undefined;
    if (found === undefined) {
      words.push(word);
      if (takesNext && next !== undefined) words.push(next);
    } else {
      const [original, flag] = found;
      const value = given ?? (takesNext ? next : undefined);
      const wrong = wrongIn(`--${original}`, flag, value);
      if (wrong !== undefined) return { words, inert: [...inert], wrong };
      if (flag.same !== undefined && own.flagOf(flag.same) !== undefined) sames.add(`--${flag.same}`);
      else if (!flag.holds?.(value ?? '')) inert.add(`--${original}`);
    }
    if (takesNext && next !== undefined) i++;
  }
  const missing = [...sames].filter((flag) => !words.includes(flag));
  return { words: [...missing, ...words, ...rest], inert: [...inert] };
}

/** Says, in one line, that flags do nothing. */
export function inertText(flags: readonly string[]): string {
  if (flags.length === 1) return `${flags[0]} is a flag of the original and does nothing here`;
  const list = `${flags.slice(0, -1).join(', ')} and ${flags.at(-1)}`;
  return `${list} are flags of the original and do nothing here`;
}

function find(name: string): [original: string, InheritedFlag] | undefined {
  const original = name.replaceAll('-', '_');
  const flag = Object.hasOwn(INHERITED, original) ? INHERITED[original] : undefined;
  return flag && [original, flag];
}

function wrongIn(shown: string, flag: InheritedFlag, value: string | undefined): string | undefined {
  if (flag.refusal !== undefined) return `${shown} is not possible: ${flag.refusal}`;
  if (!flag.takesValue) return value === undefined ? undefined : `${shown} takes no value`;
  if (value === undefined) return `${shown} takes a value, and no value is given`;
  if (!flag.level || IS_LEVEL.test(value)) return undefined;
  return `${shown} takes a level (${LEVELS.join(', ')}), and '${value}' is not one`;
}
