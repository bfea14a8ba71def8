import { stripVTControlCharacters } from 'node:util';
import { CLIError } from '@oclif/core/errors';
import type { ProblemCode } from '../errors/codes.js';
import { badValue, UsageError } from '../errors/errors.js';
import { nearest } from '../text/near.js';
import { shellWords } from '../text/shell.js';
import { inheritedFlag } from './inherited-flags.js';
import {
  type CommandClass,
  commandPage,
  type FlagEntry,
  flagsOf,
  isAfterDashes,
  isWrapper,
  knownFlags,
  knownShortFlags,
  PROGRAM_NAME,
} from './page.js';
import { asksAgent, dashedName, longName } from './words.js';

/**
 * Words that are commands of other programs for the same questions, and what answers them here. The table counts only
 * for words that are not commands of ours.
 */
const FOREIGN_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  ps: ['status'],
  ls: ['status'],
  list: ['status'],
  logs: ['tail'],
  log: ['tail'],
  stop: ['kill'],
  rm: ['gc'],
  prune: ['gc'],
  describe: ['inspect'],
  show: ['inspect'],
  shell: ['exec'],
  ssh: ['exec'],
  enter: ['exec'],
  attach: ['exec'],
};

/** The error for a first word that is not a command, with what it may have meant as a hint. */
export function unknownCommand(word: string, known: readonly string[]): UsageError {
  const message = word.startsWith('-')
    ? `unknown flag '${word}' before the command`
    : `'${word}' is not a ${PROGRAM_NAME} command`;
  const foreign = Object.hasOwn(FOREIGN_COMMANDS, word) ? (FOREIGN_COMMANDS[word] ?? []) : [];
  const meant = foreign.length > 0 ? foreign : nearest(word, known);
  return withUsage(
    new UsageError('unknown-command', message, didYouMean(meant.map((name) => `${PROGRAM_NAME} ${name}`))),
    `${PROGRAM_NAME} COMMAND [ARGUMENTS] [FLAGS]; see '${PROGRAM_NAME} help'`,
  );
}

/** The error for a word that is not the code of a problem or an error. */
export function unknownCode(word: string, known: readonly string[]): UsageError {
  return withUsage(
    new UsageError('usage', `'${word}' is not a code`, didYouMean(nearest(word, known).slice(0, 3))),
    `${PROGRAM_NAME} help codes [CODE] [FLAGS]; see '${PROGRAM_NAME} help codes'`,
  );
}

/** The codes of errors whose cause is in the words of the command line alone. */
const OF_THE_COMMAND_LINE: readonly ProblemCode[] = [
  'usage',
  'bad-pattern',
  'bad-age',
  'bad-size',
  'bad-count',
  'task-missing',
  'ambiguous-task',
  'task-id-invalid',
];

/**
 * The error of a command, as it is reported: one of oclif's parser in our words, and one of the command line with the
 * usage of the command; anything else unchanged.
 */
export function commandError(
  error: unknown,
  id: string,
  command: CommandClass,
  argv: readonly string[],
): unknown {
  const own = error instanceof CLIError ? inOurWords(error, id, command) : error;
  if (!(own instanceof UsageError) || own.usage !== undefined || !OF_THE_COMMAND_LINE.includes(own.code))
    return own;
  const { usage, call } = commandPage(id, command);
  return withUsage(own, `${usageFor(usage, argv)}; see '${call} --help'`, dashesHint(id, command, argv));
}

/** Of several forms of a command, the one with a flag that was given; else the first. */
function usageFor(usage: readonly string[], argv: readonly string[]): string | undefined {
  const given = new Set(argv.map((word) => word.split('=')[0]));
  return (
    usage.find((form) => form.split(' ').some((word) => word.startsWith('--') && given.has(word))) ?? usage[0]
  );
}

/** `hint`: wins over the error's own. */
function withUsage(error: UsageError, usage: string, hint?: string): UsageError {
  error.usage = usage;
  if (hint !== undefined) error.hint = hint;
  return error;
}

/**
 * For a command line of another program in which a flag comes before any `--`: this program took the flag for its own.
 */
function dashesHint(id: string, command: CommandClass, argv: readonly string[]): string | undefined {
  const isAfter = isAfterDashes(command);
  if (!(isWrapper(command) || (isAfter && !argv.includes('--')))) return undefined;
  // The flag is ours, and refused for a better reason.
  if (asksAgent(argv, { isWrapper: true })) return undefined;
  const at = firstArgument(command, argv) + (isAfter ? 1 : 0);
  if (argv[at] === '--') return undefined;
  const theirs = argv.slice(at);
  if (!theirs.some((word) => word.startsWith('-'))) return undefined;
  const words = [PROGRAM_NAME, id, ...argv.slice(0, at), '--', ...theirs];
  return `put -- before the command: ${shellWords(words)}`;
}

/** The place of the first word that is neither a flag nor its value, or of the `--` before it. */
function firstArgument(command: CommandClass, argv: readonly string[]): number {
  const known = knownFlags(command);
  const short = knownShortFlags(command);
  let at = 0;
  while (at < argv.length) {
    const word = argv[at] as string;
    if (!word.startsWith('-') || word === '--') break;
    const name = longName(word);
    const flag = name === undefined ? short(word) : (known(dashedName(name)) ?? inheritedFlag(name));
    at += flag?.takesValue && !word.includes('=') ? 2 : 1;
  }
  return at;
}

/** The error classes of oclif's parser. oclif exports only their base class. */
type ParserError =
  | 'NonExistentFlagsError'
  | 'RequiredArgsError'
  | 'UnexpectedArgsError'
  | 'FlagInvalidOptionError'
  | 'ArgInvalidOptionError'
  | 'FailedFlagValidationError';

function inOurWords(error: CLIError, id: string, command: CommandClass): UsageError {
  const fail = (message: string, hint?: string) => new UsageError('usage', message, hint);
  const { flags = [], args = [] } = error as { flags?: string[]; args?: ({ name: string } | string)[] };
  const plural = (words: readonly unknown[]) => (words.length === 1 ? '' : 's');
  const words = args.map((arg) => (typeof arg === 'string' ? `'${arg}'` : arg.name.toUpperCase())).join(', ');
  const text = stripVTControlCharacters(error.message);
  switch (error.constructor.name as ParserError) {
    case 'NonExistentFlagsError': {
      const unknown = flags.map((flag) => `'${flag}'`).join(', ');
      return fail(`unknown flag${plural(flags)} ${unknown}`, nearestFlags(flags, command));
    }
    case 'RequiredArgsError':
      return fail(`missing argument${plural(args)} ${words}`);
    case 'UnexpectedArgsError':
      return fail(`unexpected argument${plural(args)} ${words}`);
    case 'FlagInvalidOptionError': {
      const [, name = '', given = ''] = /^Expected --([^=]+)=(.*) to be one of: /s.exec(text) ?? [];
      return badValue(`--${name}`, oneOf(flagsOf(command)[name]?.options ?? []), given);
    }
    case 'ArgInvalidOptionError': {
      const [, given = '', list = ''] = /^Expected (.*) to be one of: (.*)/s.exec(text) ?? [];
      const arg = commandPage(id, command).args.find(({ options }) => list.startsWith(options.join(', ')));
      return badValue(arg?.name.toUpperCase() ?? 'the argument', oneOf(arg?.options ?? []), given);
    }
    case 'FailedFlagValidationError':
      return fail(clash(text));
    default:
      return valueError(text, id, command) ?? fail(plainText(text));
  }
}

/** A flag without a value, or with one that its parser refuses; both are plain text in oclif. */
function valueError(text: string, id: string, command: CommandClass): UsageError | undefined {
  const [, missing] = /^Flag --(\S+) expects /.exec(text) ?? [];
  if (missing !== undefined) return missingValue(missing, id, command);
  const [, twice] = /^Flag --(\S+) can only be specified once/.exec(text) ?? [];
  if (twice !== undefined) return new UsageError('usage', `--${twice} may be given only once`);
  const [, name = '', given] =
    /^Parsing --(\S+)[\s\S]*? but received: ([\s\S]*?)(?:\nSee more help with --help)?$/.exec(text) ?? [];
  if (given === undefined) return undefined;
  const { min, max } = flagsOf(command)[name] ?? {};
  const range = min === undefined ? '' : max === undefined ? `, ${min} or higher` : ` from ${min} to ${max}`;
  return badValue(`--${name}`, `a whole number${range}`, given);
}

function missingValue(name: string, id: string, command: CommandClass): UsageError {
  const entries: readonly FlagEntry[] = commandPage(id, command).flagGroups.flatMap(({ flags }) => flags);
  const { value = 'VALUE', options = [] } = entries.find((entry) => entry.name === name) ?? {};
  const shown = options.length > 0 ? oneOf(options) : value;
  return new UsageError('usage', `--${name} takes ${shown}, and no value is given`);
}

/** Flags that exclude or need each other, or are missing. oclif shows values that a person did not write. */
function clash(text: string): string {
  const clashes = [
    ...text.matchAll(/--(\S+?)(?:=[\s\S]*?)? cannot also be provided when using --(\S+)/g),
  ].map(([, one, other]) => `--${other} and --${one} cannot be used together`);
  const needs = [...text.matchAll(/All of the following must be provided when using --(\S+): (.*)/g)].map(
    ([, one, others]) => `--${one} needs ${others?.replaceAll(', ', ' and ')}`,
  );
  const missing = [...text.matchAll(/Missing required flag (\S+)/g)].map(([, name]) => `--${name} is needed`);
  const all = [...clashes, ...needs, ...missing];
  return all.length > 0 ? all.join('; ') : plainText(text);
}

function oneOf(options: readonly string[]): string {
  return options.length < 2
    ? options.join('')
    : `${options.slice(0, -1).join(', ')} or ${options[options.length - 1]}`;
}

function nearestFlags(unknown: readonly string[], command: CommandClass): string | undefined {
  const names = Object.entries(flagsOf(command)).flatMap(([name, { hidden }]) => (hidden ? [] : [name]));
  const near = unknown.flatMap((flag) => nearest(longName(flag) ?? '', names).slice(0, 1));
  return didYouMean(near.map((name) => `--${name}`));
}

/** oclif's message in one line, without its advice; our advice is the usage. */
function plainText(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== 'See more help with --help')
    .join(' ');
}

function didYouMean(words: readonly string[]): string | undefined {
  return words.length === 0 ? undefined : `did you mean ${words.map((word) => `'${word}'`).join(' or ')}?`;
}
