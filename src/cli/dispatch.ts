import { join } from 'node:path';
import { Config } from '@oclif/core/config';
import { COMMANDS, VISIBLE_IDS } from '../commands/index.js';
import { EXIT } from '../errors/exit-codes.js';
import { ThermosCommand } from './base-command.js';
import { reportFailure } from './failure.js';
import { knownFlags } from './page.js';
import { Terminal } from './terminal.js';
import { hasFlag, splitCommand } from './words.js';

declare const THERMOS_VERSION: string;

/** The installed package: this file is built into `dist/`. */
export const PACKAGE_ROOT = join(__dirname, '..');

/** The flags that `CMD --help` takes over. */
const OF_HELP = ['--json', '--no-color'];

type CommandId = keyof typeof COMMANDS;

/**
 * Runs the command that the words name and sets the exit status. oclif's own start (reading package.json,
 * the manifest and the plugins) costs as much again as an empty Node, so commands are found in our own table
 * and get a Config that knows only their names; `help` loads the full one.
 */
export async function dispatch(argv: readonly string[]): Promise<void> {
  const terminal = new Terminal();
  process.on('uncaughtException', (error) => process.exit(reportFailure(error, argv, terminal)));
  try {
    const { before, word, after } = splitCommand(argv, knownFlags(ThermosCommand));
    const words = [...before, ...after];
    if (word === undefined || word === '--help' || word === '-h') {
      await run('help', words, terminal);
    } else if (word === '--version') {
      await run('version', words, terminal);
    } else if (!Object.hasOwn(COMMANDS, word)) {
      const { unknownCommand } = await import('./command-line-error.js');
      throw unknownCommand(word, VISIBLE_IDS);
    } else if (hasFlag(words, '--help', '-h')) {
      await run('help', [word, ...words.filter((each) => OF_HELP.includes(each))], terminal);
    } else {
      await run(word as CommandId, words, terminal);
    }
  } catch (error) {
    process.exitCode = reportFailure(error, argv, terminal);
  }
}

/** The command that `dispatch` runs for these words; undefined if there is no such. */
export function commandOf(argv: readonly string[]): string | undefined {
  const { before, word, after } = splitCommand(argv, knownFlags(ThermosCommand));
  if (word === undefined || word === '-h' || hasFlag([word, ...before, ...after], '--help', '-h'))
    return 'help';
  if (word === '--version') return 'version';
  return Object.hasOwn(COMMANDS, word) ? word : undefined;
}

async function run(id: CommandId, argv: string[], terminal: Terminal): Promise<void> {
  const CommandClass = (await COMMANDS[id]()) as new (argv: string[], config: Config) => ThermosCommand;
  const command = new CommandClass(argv, minimalConfig());
  command.id = id;
  command.terminal = terminal;
  process.exitCode = (await command.invoke()) ?? EXIT.ok;
}

function minimalConfig(): Config {
  const config = new Config({ root: PACKAGE_ROOT });
  return Object.assign(config, {
    bin: 'thermos',
    name: 'thermos',
    version: THERMOS_VERSION,
    topicSeparator: ' ',
    pjson: { name: 'thermos', version: THERMOS_VERSION, oclif: { bin: 'thermos' } },
    rootPlugin: { name: 'thermos', root: PACKAGE_ROOT, hooks: {} },
  });
}
