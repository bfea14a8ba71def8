import { Command } from '@oclif/core/command';
import type { Config } from '@oclif/core/config';
import * as Flags from '@oclif/core/flags';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import { type Defaults, readDefaults } from '../app/defaults.js';
import { UsageError } from '../errors/errors.js';
import { EXIT, EXIT_MEANINGS, type ExitMeanings } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import type { CompletionKinds } from './completion/kinds.js';
import { problemsText, say } from './failure.js';
import { inertText, withoutInherited } from './inherited-flags.js';
import { jsonPieces } from './json-pieces.js';
import { type CommandClass, type CommandTable, isWrapper, knownFlags, knownShortFlags } from './page.js';
import type { Style } from './terminal.js';
import { Terminal } from './terminal.js';
import { asksAgent, dashed, valuedSwitch } from './words.js';

// biome-ignore lint/suspicious/noExplicitAny: oclif's own constraint on the types of parsed words
type Parsed = { [name: string]: any };

export const COLOUR_ENVIRONMENT: Readonly<Record<string, string>> = {
  NO_COLOR: 'If not empty, nothing is coloured.',
  FORCE_COLOR:
    'If set to anything but 0 or false, output is coloured even without a terminal. NO_COLOR wins.',
};

/** For the commands that use `pagedAnswer`. */
export const PAGER_ENVIRONMENT: Readonly<Record<string, string>> = {
  THERMOS_PAGER:
    'The pager for an answer that is longer than the terminal, run by a shell; empty or cat for none.',
  PAGER: 'The same, if there is no THERMOS_PAGER. Without either, less.',
  LESS: 'Options of less; FRX if it is not set.',
  LESSSECURE: 'For root, 1 if it is not set: less then starts no other program and writes no file.',
};

/** A command that can be run. */
export type RunnableClass = CommandClass & (new (argv: string[], config: Config) => ThermosCommand);

/** What all commands share: the global flags, one way to answer, one way to warn. */
export abstract class ThermosCommand extends Command {
  /** For help and the man page; a command adds to these or words them itself. */
  static exitCodes: ExitMeanings = {
    ok: EXIT_MEANINGS.ok,
    usage: 'The command line is wrong.',
    partial: 'Done in part: something could not be read; stderr says what.',
    bug: EXIT_MEANINGS.bug,
    interrupted: EXIT_MEANINGS.interrupted,
    terminated: EXIT_MEANINGS.terminated,
  };

  static environment: Readonly<Record<string, string>> = {
    THERMOS_ROOT: 'Task roots to search, separated by colons, if there is no --root.',
    THERMOS_MESOS_ROOT: 'Mesos work directories, separated by colons, if there is no --mesos-root.',
    THERMOS_CONFIG: 'A file of defaults to read instead of those below FILES; empty for none.',
    MESOS_SANDBOX:
      "The sandbox of the Mesos executor that thermos runs in: 'checkpoints' in it is a root to search, too.",
    ...COLOUR_ENVIRONMENT,
  };

  static files: Readonly<Record<string, string>> = {
    '/var/run/thermos': 'The task root of a host.',
    '~/.local/state/thermos': 'The task root of a user; $XDG_STATE_HOME/thermos if that is set.',
    'MESOS/slaves/*/frameworks/*/executors/*/runs/*/checkpoints':
      'The task roots of the tasks that a Mesos agent runs.',
    'ROOT/tasks/active/TASK_ID': 'The task, as JSON, while it runs; in tasks/finished when it is over.',
    'ROOT/checkpoints/TASK_ID/runner': "The task's stream; beside it a coordinator.PROCESS for each process.",
    '/etc/thermos/config.json': "Defaults of the host; see 'thermos help config'.",
    '~/.config/thermos/config.json': 'Defaults of a user; in $XDG_CONFIG_HOME if that is set.',
    'LOG_DIR/PROCESS/RUN/{stdout,stderr}': 'Logs; LOG_DIR is in the stream, usually SANDBOX/.logs.',
  };

  /** False for a command that must work whatever is in a file of defaults. */
  static usesDefaults = true;

  /** What completion offers for arguments and flags, where their names do not say it. */
  static completes: CompletionKinds = {};

  /** Ids of commands to read about next. */
  static seeAlso: readonly string[] = [];

  static override baseFlags = {
    root: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'PATH',
      helpGroup: 'GLOBAL',
      summary: 'Task root to search instead of the default ones; may be repeated.',
    }),
    'mesos-root': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'PATH',
      helpGroup: 'GLOBAL',
      summary: 'Mesos agent work directory to search instead of the default ones; may be repeated.',
    }),
    json: Flags.boolean({
      helpGroup: 'GLOBAL',
      summary: 'Print JSON: one document, or one per line.',
    }),
    'no-color': Flags.boolean({
      helpGroup: 'GLOBAL',
      summary: 'Print no colour, whatever the terminal supports.',
    }),
    'no-pager': Flags.boolean({
      helpGroup: 'GLOBAL',
      summary: 'Print an answer that is longer than the terminal without a pager.',
    }),
    debug: Flags.boolean({ helpGroup: 'GLOBAL', summary: 'Print the stack trace of an error.' }),
  };

  /** Set by the dispatcher; a command constructed by a test has its own. */
  terminal = new Terminal();

  /** All commands, for those that describe the others; set by the dispatcher. */
  commands: CommandTable = {};

  /** What the files of defaults say; read with the command line. */
  protected defaults: Defaults = { gc: {}, problems: [] };

  /** Runs the command; resolves to its exit code. Errors go to the dispatcher, those of the command line with its usage. */
  async invoke(): Promise<number> {
    try {
      return await this.run();
    } catch (error) {
      const { commandError } = await import('./command-line-error.js');
      throw commandError(error, this.id ?? '', this.ctor as unknown as CommandClass, this.argv);
    }
  }

  abstract override run(): Promise<number>;

  /**
   * Parses the words by the flags and args of the command's class; the colour flags take effect. For wrong words,
   * rejects with an error that `invoke` words.
   */
  protected override async parse<F extends Parsed, B extends Parsed, A extends Parsed>(
    options?: Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<ParserOutput<F, B, A>> {
    const command = this.ctor as unknown as CommandClass;
    const flagOf = knownFlags(command);
    const own = { flagOf, shortFlagOf: knownShortFlags(command), isWrapper: isWrapper(command) };
    const { words, inert, wrong } = withoutInherited(argv, own);
    if (wrong !== undefined) throw new UsageError('usage', wrong);
    if (flagOf('agent') === undefined && asksAgent(words, own)) {
      const { agentRefusal } = await import('./agent-refusal.js');
      throw agentRefusal(this.id ?? '');
    }
    const valued = valuedSwitch(words, flagOf);
    if (valued !== undefined) throw new UsageError('usage', `${valued.split('=')[0]} takes no value`);
    const result = await super.parse<F, B, A>(options, dashed(words, flagOf));
    if (inert.length > 0) this.notice(inertText(inert));
    if (command.usesDefaults !== false) await this.#readDefaults(result.flags);
    const noColour =
      result.flags['no-color'] || (this.defaults.colour === 'never' && !process.env.FORCE_COLOR);
    this.terminal.colourChoice = { noColor: Boolean(noColour) };
    if (!result.flags.json) await this.terminal.loadColours();
    return result;
  }

  /** Warns of files that are not used. */
  async #readDefaults(flags: Parsed): Promise<void> {
    this.defaults = await readDefaults({ env: process.env, euid: process.geteuid?.() ?? 0 });
    this.report(this.defaults.problems);
    const { roots, masters, credentialsFile } = this.defaults;
    if (roots !== undefined) flags.defaultRoots = roots;
    if ((masters ?? credentialsFile) !== undefined) flags.defaultAgents = { masters, credentialsFile };
  }

  protected get style(): Style {
    return this.terminal.style(1);
  }

  /**
   * Prints the answer: the document as one line of JSON, or the view's text. Problems go to stderr
   * either way. Returns 5 if one of them is an error, else `exitCode`.
   */
  protected answer(
    json: boolean,
    document: object,
    view: (style: Style) => string,
    problems: readonly Problem[],
    exitCode: number = EXIT.ok,
  ): number {
    if (json) for (const piece of jsonPieces(this.#withDefaults(document))) this.terminal.write(piece);
    else this.terminal.write(view(this.style));
    return this.finish(problems, exitCode);
  }

  /** The document, with the warnings about files of defaults among its problems. */
  #withDefaults(document: object): object {
    const { problems } = this.defaults;
    if (problems.length === 0 || !('problems' in document) || !Array.isArray(document.problems))
      return document;
    return { ...document, problems: [...problems, ...document.problems] };
  }

  /** Like `answer`, but on a terminal, a text that is longer than it goes to the pager. */
  protected async pagedAnswer(
    flags: { json: boolean; 'no-pager': boolean },
    document: object,
    view: (style: Style) => string,
    problems: readonly Problem[],
    exitCode: number = EXIT.ok,
  ): Promise<number> {
    if (flags.json || flags['no-pager'] || !this.terminal.canPage)
      return this.answer(flags.json, document, view, problems, exitCode);
    const { pagerOf, showOnTerminal } = await import('./pager.js');
    const pager = pagerOf(process.env, process.geteuid?.() === 0, this.defaults.pager);
    await showOnTerminal(view(this.style), this.terminal, pager);
    return this.finish(problems, exitCode);
  }

  /** Reports the problems of an answer; returns 5 if one of them is an error, else `exitCode`. */
  protected finish(problems: readonly Problem[], exitCode: number): number {
    this.report(problems);
    return exitCode === EXIT.ok && hasError(problems) ? EXIT.partial : exitCode;
  }

  /** Reports problems on stderr. */
  protected report(problems: readonly Problem[]): void {
    if (problems.length > 0) this.terminal.writeError(problemsText(problems, this.terminal.style(2).width));
  }

  protected notice(text: string): void {
    say(this.terminal, text);
  }
}
