import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { CONFIG_FLAGS } from '../cli/config-flags.js';

export default class Run extends ThermosCommand {
  static override summary = 'Make a config ready to run: everything bound, checked and filled in.';
  static override description =
    `With --dry-run the task is shown as it would be run, with the command lines that bash would get, and nothing is
executed but the config itself. Every reason why it could not be run is told.

CONFIG is a file in Python (.thermos, .aurora) or a task in JSON; which, is seen from what is in it.`;
  static override examples = [
    '<%= config.bin %> run web.thermos --dry-run --port http:8080',
    '<%= config.bin %> run web.thermos --dry-run --task web --environment profile.version=1.2',
    '<%= config.bin %> run web.aurora --dry-run --job prod/web --json | jq -r ".task.processes[].cmdline"',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    2: 'The command line is wrong, or the config can not be run.',
  };
  static override seeAlso = ['inspect'];

  static override args = {
    config: Args.string({ ignoreStdin: true, required: true, description: 'The config.' }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ required: true, summary: 'Show what would be run, and run nothing.' }),
    ...CONFIG_FLAGS,
    'task-id': Flags.string({
      helpValue: 'ID',
      summary: 'The id of the task; else made of its name and the time.',
    }),
    user: Flags.string({ helpValue: 'NAME', summary: 'The user to run as; you, if not given.' }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Run);
    const { dryRun } = await import('../cli/config.js');
    const { document, text, problems, exitCode } = await dryRun(args.config, flags, this.terminal);
    return this.answer(flags.json, document, text, problems, exitCode);
  }
}
