import { stripVTControlCharacters } from 'node:util';
import { CLIError } from '@oclif/core/errors';
import type { ProblemCode } from '../errors/codes.js';
import { ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { nearest } from '../text/near.js';
import { type CommandClass, commandPage, flagsOf, PROGRAM_NAME } from './page.js';
import { longName } from './words.js';

/** The command line can't be carried out as written. Exit 2; the short usage is printed below the message. */
export class CommandLineError extends ThermosError {
  readonly usage: string;

  constructor(code: ProblemCode, message: string, usage: string, hint?: string) {
    super(code, message, { exitCode: EXIT.usage, hint });
    this.usage = usage;
  }
}

/** The error for a first word that is not a command, with the nearest ones as a hint. */
export function unknownCommand(word: string, known: readonly string[]): CommandLineError {
  const message = word.startsWith('-')
    ? `unknown flag '${word}' before the command`
    : `'${word}' is not a ${PROGRAM_NAME} command`;
  const hint = didYouMean(nearest(word, known).map((name) => `${PROGRAM_NAME} ${name}`));
  return new CommandLineError('unknown-command', message, USAGE, hint);
}

/** The error for a word that is not the code of a problem or an error. */
export function unknownCode(word: string, known: readonly string[]): CommandLineError {
  const usage = `${PROGRAM_NAME} help codes [CODE] [FLAGS]; see '${PROGRAM_NAME} help codes'`;
  return new CommandLineError(
    'usage',
    `'${word}' is not a code`,
    usage,
    didYouMean(nearest(word, known).slice(0, 3)),
  );
}

const USAGE = `${PROGRAM_NAME} COMMAND [ARGUMENTS] [FLAGS]; see '${PROGRAM_NAME} help'`;

/** An error of oclif's parser, in our words; anything else unchanged. */
export function commandLineError(error: unknown, id: string, command: CommandClass): unknown {
  if (!(error instanceof CLIError)) return error;
  const usage = `${PROGRAM_NAME} ${commandPage(id, command).usage[0]}; see '${PROGRAM_NAME} ${id} --help'`;
  const fail = (message: string, hint?: string) => new CommandLineError('usage', message, usage, hint);
  const { flags = [], args = [] } = error as { flags?: string[]; args?: ({ name: string } | string)[] };
  const plural = (words: readonly unknown[]) => (words.length === 1 ? '' : 's');
  const words = args.map((arg) => (typeof arg === 'string' ? `'${arg}'` : arg.name.toUpperCase())).join(', ');
  switch (error.constructor.name as ParserError) {
    case 'NonExistentFlagsError': {
      const unknown = flags.map((flag) => `'${flag}'`).join(', ');
      return fail(`unknown flag${plural(flags)} ${unknown}`, nearestFlags(flags, command));
    }
    case 'RequiredArgsError':
      return fail(`missing argument${plural(args)} ${words}`);
    case 'UnexpectedArgsError':
      return fail(`unexpected argument${plural(args)} ${words}`);
    default:
      return fail(messageOf(error));
  }
}

/** The error classes of oclif's parser that get our own words. oclif exports only their base class. */
type ParserError = 'NonExistentFlagsError' | 'RequiredArgsError' | 'UnexpectedArgsError';

function nearestFlags(unknown: readonly string[], command: CommandClass): string | undefined {
  const names = Object.entries(flagsOf(command)).flatMap(([name, { hidden }]) => (hidden ? [] : [name]));
  const near = unknown.flatMap((flag) => nearest(longName(flag) ?? '', names).slice(0, 1));
  return didYouMean(near.map((name) => `--${name}`));
}

/** oclif's message in one line, without its heading and its advice; our advice is the usage. */
function messageOf(error: CLIError): string {
  const lines = stripVTControlCharacters(error.message)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  switch (error.constructor.name) {
    // A heading, the error, the advice.
    case 'FailedFlagValidationError':
    case 'ViolatedFlagConstraintError':
      return plain(lines.slice(1, -1));
    // Either one line; or the flag, the error of its parser, the advice.
    case 'CLIError': {
      const [flag] = /--\S+/.exec(lines[0] ?? '') ?? [];
      return lines.length < 3 ? plain(lines) : `${flag}: ${plain(lines.slice(1, -1))}`;
    }
    default:
      return plain(lines.slice(0, -1));
  }
}

/** Removes the `=true` that oclif shows for a switch. */
function plain(lines: readonly string[]): string {
  return lines
    .join(' ')
    .replace(/^Flag --/, 'flag --')
    .replace(/(--\S+)=true\b/g, '$1');
}

function didYouMean(words: readonly string[]): string | undefined {
  return words.length === 0 ? undefined : `did you mean ${words.map((word) => `'${word}'`).join(' or ')}?`;
}
