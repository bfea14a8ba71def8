import * as Args from '@oclif/core/args';
import { COLOUR_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import { commandHelp, programHelp } from '../cli/help.js';
import { EXIT } from '../errors/exit-codes.js';

export default class Help extends ThermosCommand {
  static override summary = 'Show the commands, or the help of one of them.';
  static override environment = COLOUR_ENVIRONMENT;
  static override files = {};
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help status'];
  static override args = {
    command: Args.string({ description: 'The command to explain.', ignoreStdin: true }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Help);
    const style = { width: this.style.width ?? 80, bold: this.style.paint.bold };
    const help =
      args.command === undefined
        ? await programHelp(this.commands, this.config, style)
        : await commandHelp(args.command, this.commands, this.config, style);
    return this.answer(flags.json, { help }, () => help, [], EXIT.ok);
  }
}
