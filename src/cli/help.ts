import type { Config } from '@oclif/core/interfaces';
import { UsageError } from '../errors/errors.js';
import { EXIT_MEANINGS } from '../errors/exit-codes.js';
import { PAGER_ENVIRONMENT, ThermosCommand } from './base-command.js';
import { unknownCode, unknownCommand } from './command-line-error.js';
import { type HelpStyle, HelpText, type ProgramPage } from './help-text.js';
import {
  type CommandClass,
  type CommandPage,
  type CommandTable,
  commandPage,
  exitRows,
  PROGRAM_NAME,
  TOPICS,
  visibleIds,
} from './page.js';

/**
 * The help that the words ask for: of the program, a command, all codes or one of them. Words that are none of these
 * are an error with the nearest ones.
 */
export async function helpOf(
  [word, code]: readonly (string | undefined)[],
  commands: CommandTable,
  config: Config,
  style: HelpStyle,
): Promise<string> {
  const text = new HelpText(config, style);
  if (word === undefined) return text.program(await programPage(commands));
  const load = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (code !== undefined && word !== 'codes') throw new UsageError('usage', `unexpected argument '${code}'`);
  if (load !== undefined) return text.command(commandPage(word, await load()));
  if (word === 'config') return text.defaults((await import('./config-topic.js')).CONFIG_TOPIC);
  const { CODES, CODE_PAGES } = await import('./codes.js');
  if (word === 'codes' && code === undefined) return text.codes(CODE_PAGES);
  const page = CODES.get(code ?? word);
  if (page !== undefined) return text.code(page, exitRows(EXIT_MEANINGS));
  if (code !== undefined) throw unknownCode(code, [...CODES.keys()]);
  throw unknownCommand(word, [...visibleIds(commands), ...TOPICS.map(([topic]) => topic)]);
}

/** The page of the whole program, with those of its commands. */
export async function programPage(table: CommandTable): Promise<ProgramPage> {
  const commands: CommandPage[] = [];
  const programs: CommandPage[] = [];
  const visible = visibleIds(table);
  for (const [id, load] of Object.entries(table)) {
    if (visible.includes(id)) commands.push(commandPage(id, await load()));
    else {
      const command: CommandClass = await load();
      if (command.program !== undefined) programs.push(commandPage(id, command));
    }
  }
  const all = commandPage('', ThermosCommand);
  return {
    summary: 'See, run, end and clean up Thermos tasks, by the checkpoint streams on disk.',
    description: [
      'Thermos runs a task: a graph of shell processes that share a sandbox. Every change of state is appended to a checkpoint file. This program reads those files and whatever else is left on disk. It asks no server, and also works on a task whose runner, agent or host is gone. Only with --agent or --master does it look at the tasks of Mesos agents instead, over HTTP.',
      'A task is named by its id, by a regular expression or glob, by a prefix of ids, or by the path of its sandbox, run directory, checkpoint root or task file. Run inside a sandbox, commands find its root from the working directory.',
      'With --json, every command prints one JSON object on stdout and nothing else, or one object per line if it follows something. The schemas are in the directory schemas/ of the package.',
    ],
    usage: `${PROGRAM_NAME} COMMAND [ARGUMENTS] [FLAGS]`,
    examples: [
      { text: 'What runs here, what died?', command: `${PROGRAM_NAME} status` },
      { text: 'Why did it fail?', command: `${PROGRAM_NAME} inspect www-data-prod-web-0` },
      {
        text: 'Follow the logs of all its processes',
        command: `${PROGRAM_NAME} tail --follow www-data-prod-web-0`,
      },
      { text: 'Run a task here', command: `${PROGRAM_NAME} run web.thermos` },
      { text: 'What could be cleaned up?', command: `${PROGRAM_NAME} gc --dry-run` },
      {
        text: 'What died on all agents of a Mesos master?',
        command: `${PROGRAM_NAME} status --failed --master master-1:5050`,
      },
    ],
    commands,
    programs,
    topics: TOPICS,
    globalFlags: all.flagGroups.flatMap(({ flags }) => flags),
    exitCodes: exitRows(EXIT_MEANINGS),
    environment: [...all.environment, ...Object.entries(PAGER_ENVIRONMENT)],
    files: all.files,
  };
}
