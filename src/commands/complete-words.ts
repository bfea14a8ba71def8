import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { filesToName, idsToName, processesToName } from '../app/complete.js';
import { localTasks } from '../app/local-tasks.js';
import type { RootFlags } from '../app/search.js';
import { ThermosCommand } from '../cli/base-command.js';
import { requote, unquote } from '../cli/completion/bash-words.js';
import { type CompletionSource, complete } from '../cli/completion/complete.js';
import { EXIT } from '../errors/exit-codes.js';
import { localSandbox } from '../sandbox/local-sandbox.js';

/** Names of this host's tasks and processes. */
const namesIn = (defaultRoots: RootFlags['defaultRoots']): CompletionSource => ({
  taskIds: (roots) => idsToName(localTasks({ ...roots, defaultRoots })),
  processes: (taskId, roots) => processesToName(taskId, localTasks({ ...roots, defaultRoots })),
  files: (directory, roots) =>
    filesToName(directory, { gatherer: localTasks({ ...roots, defaultRoots }), sandboxOf: localSandbox }),
});

/**
 * The completion scripts call this: it prints the candidates for the last word, one per line. It reports no errors,
 * because they would appear in the middle of the line that is being typed.
 */
export default class CompleteWords extends ThermosCommand {
  static override hidden = true;
  static override summary = 'Print the candidates for the last word of a command line.';
  static override flags = { 'word-breaks': Flags.string({ default: '' }) };
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
    const source = namesIn(this.defaults.roots);
    const bash = args.shell === 'bash';
    const words = bash ? typed.map((word) => unquote(word).text) : typed;
    const found = await complete(words, { all: this.commands, base: ThermosCommand }, source);
    const last = typed.at(-1) as string;
    return found
      .map((each) => inserted(each, args.shell, last, flags['word-breaks']))
      .filter((each) => each !== undefined)
      .map((each) => `${each}\n`)
      .join('');
  }
}

/** The text that the shell inserts for the typed word; undefined if no text would be read as the candidate. */
function inserted(candidate: string, shell: string, typed: string, wordBreaks: string): string | undefined {
  if (shell === 'bash') return requote(candidate, typed, wordBreaks);
  // zsh and fish quote by themselves, but fish does not quote a leading tilde, which means a home directory.
  return shell === 'fish' && candidate.startsWith('~') ? undefined : candidate;
}
