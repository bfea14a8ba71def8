import * as Args from '@oclif/core/args';
import { ThermosCommand } from '../cli/base-command.js';

export default class Help extends ThermosCommand {
  static override summary = 'Show the commands, or the help of one of them.';
  static override args = { command: Args.string({ ignoreStdin: true }) };

  async run(): Promise<number> {
    const { args } = await this.parse(Help);
    this.terminal.write(`help ${args.command}\n`);
    return 0;
  }
}
