import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import {
  configProcessesToName,
  filesToName,
  idsToName,
  listedOnce,
  processesToName,
  runningToName,
  tasksToDescribe,
} from '../app/complete.js';
import { localTasks } from '../app/local-tasks.js';
import type { RootFlags } from '../app/search.js';
import { ThermosCommand } from '../cli/base-command.js';
import { requote, unquote } from '../cli/completion/bash-words.js';
import { type CompletionSource, complete } from '../cli/completion/complete.js';
import { EXIT } from '../errors/exit-codes.js';
import { localSandbox } from '../sandbox/local-sandbox.js';
import type { TaskGatherer } from '../task/gatherer.js';
import { visible } from '../text/escape.js';
import { processSummary, taskSummary } from '../views/completion.js';

/** Names of this host's tasks and processes, with words about them. */
const namesIn = (defaultRoots: RootFlags['defaultRoots'], now: number): CompletionSource => {
  let tasks: TaskGatherer | undefined;
  // A line names the same roots whatever is asked about it.
  const tasksIn = (roots: object) => (tasks ??= listedOnce(localTasks({ ...roots, defaultRoots })));
  return {
    taskIds: (roots, phase) => idsToName(tasksIn(roots), phase),
    aboutTasks: async (ids, roots) => {
      const views = await tasksToDescribe(ids, tasksIn(roots));
      return new Map(views.map((view) => [view.task_id, taskSummary(view, now)]));
    },
    processes: (taskId, roots) => processesToName(taskId, tasksIn(roots)),
    runningProcesses: async (taskId, roots) => {
      const processes = await runningToName(taskId, tasksIn(roots));
      return processes.map((view) => ({ word: view.process, text: processSummary(view, now) }));
    },
    configProcesses: configProcessesToName,
    files: (directory, roots) =>
      filesToName(directory, { gatherer: tasksIn(roots), sandboxOf: localSandbox }),
  };
};

/** Nobody reads more of it beside a name, and a user's name comes from the disk. */
const LONGEST_TEXT = 200;

/**
 * The completion scripts call this: it prints the candidates for the last word, one per line; with
 * --describe, some of them with a tab and a text about them. It reports no errors,
 * because they would appear in the middle of the line that is being typed.
 */
export default class CompleteWords extends ThermosCommand {
  static override hidden = true;
  static override summary = 'Print the candidates for the last word of a command line.';
  static override flags = { 'word-breaks': Flags.string({ default: '' }), describe: Flags.boolean() };
  static override args = {
    shell: Args.string({ required: true, ignoreStdin: true }),
    word: Args.string({ multiple: true, ignoreStdin: true }),
  };

  async run(): Promise<number> {
    try {
      this.terminal.write(await this.#candidates());
    } catch {
      // See above.
    }
    return EXIT.ok;
  }

  async #candidates(): Promise<string> {
    const { args, flags } = await this.parse(CompleteWords);
    const typed: string[] = args.word ?? [''];
    const source = namesIn(this.defaults.roots, this.terminal.now());
    const bash = args.shell === 'bash';
    const words = bash ? typed.map((word) => unquote(word).text) : typed;
    const commands = { all: this.commands, base: ThermosCommand };
    const found = await complete(words, commands, source, flags.describe);
    const last = typed.at(-1) as string;
    let lines = '';
    for (const { word, text } of found) {
      const insert = inserted(word, args.shell, last, flags['word-breaks']);
      if (insert === undefined) continue;
      lines +=
        flags.describe && text ? `${insert}\t${visible(text.slice(0, LONGEST_TEXT))}\n` : `${insert}\n`;
    }
    return lines;
  }
}

/** The text that the shell inserts for the typed word; undefined if no text would be read as the candidate. */
function inserted(candidate: string, shell: string, typed: string, wordBreaks: string): string | undefined {
  if (shell === 'bash') return requote(candidate, typed, wordBreaks);
  // zsh and fish quote by themselves, but fish does not quote a leading tilde, which means a home directory.
  return shell === 'fish' && candidate.startsWith('~') ? undefined : candidate;
}
