import { stripVTControlCharacters } from 'node:util';
import type { ProblemCode } from '../errors/codes.js';
import { ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { nearest } from './near.js';
import { type CommandClass, commandPage, flagsOf, PROGRAM_NAME } from './page.js';
import { longName } from './words.js';

/** The command line can't be carried out as written. Exit 2; the short usage is told below the message. */
export class CommandLineError extends ThermosError {
  readonly usage: string;

  constructor(code: ProblemCode, message: string, usage: string, hint?: string) {
    super(code, message, { exitCode: EXIT.usage, hint });
    this.usage = usage;
  }
}

/** The error for a first word that is no command, with the nearest ones as a hint. */
export function unknownCommand(word: string, known: readonly string[]): CommandLineError {
  const message = word.startsWith('-')
    ? `unknown flag '${word}' before the command`
    : `'${word}' is not a ${PROGRAM_NAME} command`;
  const hint = didYouMean(nearest(word, known).map((name) => `${PROGRAM_NAME} ${name}`));
  return new CommandLineError('unknown-command', message, USAGE, hint);
}

const USAGE = `${PROGRAM_NAME} COMMAND [ARGUMENTS] [FLAGS]; see '${PROGRAM_NAME} help'`;

/** What oclif's parser throws, in our words; anything else as it is. */
export function commandLineError(error: unknown, id: string, command: CommandClass): unknown {
  // Everything that the parser throws has an exit code; the words below are those of @oclif/core 4.14.
  const oclif = (error as { oclif?: { exit?: number } } | undefined)?.oclif;
  if (oclif === undefined || !(error instanceof Error)) return error;
  const usage = `${PROGRAM_NAME} ${commandPage(id, command).usage[0]}; see '${PROGRAM_NAME} ${id} --help'`;
  const fail = (message: string, hint?: string) => new CommandLineError('usage', message, usage, hint);

  const { flags = [], args = [] } = error as { flags?: string[]; args?: ({ name: string } | string)[] };
  const plural = (words: readonly unknown[]) => (words.length === 1 ? '' : 's');
  if (error.message.startsWith('Nonexistent flag')) {
    const known = Object.entries(flagsOf(command)).filter(([, flag]) => !flag.hidden);
    const names = known.map(([name]) => name);
    const near = flags.flatMap((flag) => nearest(longName(flag) ?? '', names).slice(0, 1));
    const hint = didYouMean(near.map((name) => `--${name}`));
    return fail(`unknown flag${plural(flags)} ${flags.map((flag) => `'${flag}'`).join(', ')}`, hint);
  }
  const words = args.map((arg) => (typeof arg === 'string' ? `'${arg}'` : arg.name.toUpperCase())).join(', ');
  if (error.message.startsWith('Missing ')) return fail(`missing argument${plural(args)} ${words}`);
  if (error.message.startsWith('Unexpected arg')) return fail(`unexpected argument${plural(args)} ${words}`);
  return fail(plainMessage(error.message));
}

/** One line, without the advice that oclif adds; ours is the usage. */
function plainMessage(message: string): string {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(See more help with|The following errors? occurred:)/.test(line));
  return lines
    .join(' ')
    .replace(/^Parsing (--\S+) /, '$1: ')
    .replace(/^Flag --/, 'flag --')
    .replace(/(--\S+)=true\b/g, '$1');
}

function didYouMean(words: readonly string[]): string | undefined {
  return words.length === 0 ? undefined : `did you mean ${words.map((word) => `'${word}'`).join(' or ')}?`;
}
