import * as Args from '@oclif/core/args';
import { COLOUR_ENVIRONMENT, PAGER_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import { helpOf } from '../cli/help.js';

export default class Help extends ThermosCommand {
  static override usesDefaults = false;
  static override summary =
    'Show all commands, the help of one command, what codes mean, or what defaults are read.';
  static override environment = { ...COLOUR_ENVIRONMENT, ...PAGER_ENVIRONMENT };
  static override files = {};
  static override usage = ['[COMMAND] [FLAGS]', 'codes [CODE] [FLAGS]', 'config [FLAGS]'];
  static override examples = [
    '<%= config.bin %> help',
    '<%= config.bin %> help status',
    '<%= config.bin %> help codes checkpoint-damaged',
  ];
  static override args = {
    command: Args.string({
      description: 'The command to explain, or a code of a problem or an error.',
      ignoreStdin: true,
    }),
    code: Args.string({ description: 'The code to explain; without it, all of them.', ignoreStdin: true }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Help);
    const style = { width: this.style.width ?? 80, bold: this.style.paint.bold };
    const help = await helpOf([args.command, args.code], this.commands, this.config, style);
    return this.pagedAnswer(flags, { help }, () => help, []);
  }
}
