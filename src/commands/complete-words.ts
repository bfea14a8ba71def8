import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { candidateLines, namesIn } from '../cli/completion/candidates.js';
import { EXIT } from '../errors/exit-codes.js';

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
    const { 'word-breaks': wordBreaks, describe } = flags;
    const line = { shell: args.shell, words: args.word ?? [''], wordBreaks, describe };
    const source = namesIn(this.defaults.roots, this.terminal.now());
    return candidateLines(line, { all: this.commands, base: ThermosCommand }, source);
  }
}
