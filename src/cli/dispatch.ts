import { join } from 'node:path';
import type { Config } from '@oclif/core/config';
import { EXIT } from '../errors/exit-codes.js';
import { type RunnableClass, ThermosCommand } from './base-command.js';
import { reportFailure } from './failure.js';
import { inheritedFlag } from './inherited-flags.js';
import { type CommandTable, knownFlags, visibleIds } from './page.js';
import { Terminal } from './terminal.js';
import { hasFlag, splitCommand } from './words.js';

declare const THERMOS_VERSION: string;

/** The installed package: this file is built into `dist/`. */
export const PACKAGE_ROOT = join(__dirname, '..');

/** The flags that `CMD --help` passes on to `help`. */
const OF_HELP = ['--json', '--no-color', '--no-pager'];

/** The flags for help; the last two are the original's. */
const HELP = ['--help', '-h', '--short-help', '--long-help'];

/** The flags that may come before the command. */
const flagBefore = (name: string) => knownFlags(ThermosCommand)(name) ?? inheritedFlag(name);

/** What the entry needs: finds the command of a command line, and runs it. */
export interface Dispatcher {
  /** Runs the command that the words name and sets the exit status. */
  dispatch(argv: readonly string[]): Promise<void>;
  /** The command that `dispatch` runs for these words; undefined if there is none. */
  commandOf(argv: readonly string[]): string | undefined;
}

/**
 * The program with these commands. oclif's own start (reading package.json, the manifest and the plugins) takes as long
 * as starting Node, so commands are found in our own table and get a minimal Config.
 */
export function programOf(commands: CommandTable<RunnableClass>): Dispatcher {
  return {
    dispatch: (argv) => dispatch(argv, commands),
    commandOf: (argv) => commandOf(argv, commands),
  };
}

async function dispatch(argv: readonly string[], commands: CommandTable<RunnableClass>): Promise<void> {
  const terminal = new Terminal();
  process.on('uncaughtException', (error) => process.exit(reportFailure(error, argv, terminal)));
  const run = async (id: string, words: string[]) => {
    const CommandClass = await (commands[id] as () => Promise<RunnableClass>)();
    const command = new CommandClass(words, minimalConfig());
    command.id = id;
    command.terminal = terminal;
    command.commands = commands;
    process.exitCode = (await command.invoke()) ?? EXIT.ok;
  };
  try {
    const { before, word, after } = splitCommand(argv, flagBefore);
    const words = [...before, ...after];
    if (word === undefined || HELP.includes(word)) {
      await run('help', words);
    } else if (word === '--version') {
      await run('version', words);
    } else if (!Object.hasOwn(commands, word)) {
      const { unknownCommand } = await import('./command-line-error.js');
      throw unknownCommand(word, visibleIds(commands));
    } else if (hasFlag(words, ...HELP)) {
      await run('help', [word, ...words.filter((each) => OF_HELP.includes(each))]);
    } else {
      await run(word, words);
    }
  } catch (error) {
    process.exitCode = reportFailure(error, argv, terminal);
  }
}

function commandOf(argv: readonly string[], commands: CommandTable): string | undefined {
  const { before, word, after } = splitCommand(argv, flagBefore);
  if (word === undefined || hasFlag([word, ...before, ...after], ...HELP)) return 'help';
  if (word === '--version') return 'version';
  return Object.hasOwn(commands, word) ? word : undefined;
}

/** What oclif's command and help read from a config. */
function minimalConfig(): Config {
  const known: Partial<Config> = {
    root: PACKAGE_ROOT,
    bin: 'thermos',
    name: 'thermos',
    version: THERMOS_VERSION,
    topicSeparator: ' ',
    pjson: { name: 'thermos', version: THERMOS_VERSION, oclif: { bin: 'thermos' } },
    runHook: async () => ({ successes: [], failures: [] }),
  };
  return known as Config;
}
