import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { CONFIG_FLAGS } from '../cli/config-flags.js';
import { expectSignals } from '../cli/run-control.js';
import { RUN_EXIT_CODES, RUN_FLAGS } from '../cli/run-flags.js';
import { runTask } from '../cli/run-task.js';

export default class Run extends ThermosCommand {
  static override summary = 'Run a task, or go on with one that lost its runner.';
  static override description =
    `The task runs until it is over: its processes in their order, those that fail again as often as they may, final
ones last. On a terminal its processes are shown, and their output below them; elsewhere the output is printed
line by line, with the process in front. The output is in log files, too: see 'thermos tail'.

Ctrl-C or SIGTERM ends the task gracefully: processes get SIGTERM, final processes run. Twice ends it at once. A
runner that is killed leaves its processes running; 'run' with the same config and --task-id goes on with them.

CONFIG is a file in Python (.thermos, .aurora) or a task in JSON; which, is seen from what is in it. The root is
--root, else /var/run/thermos if you may write there, else your own. With --dry-run the task is shown as it would be
run, with the command lines that bash would get, and nothing is executed but the config itself.`;
  static override examples = [
    '<%= config.bin %> run web.thermos',
    '<%= config.bin %> run --task-id web-1 --port http:8080 --environment profile.version=1.2 web.thermos',
    '<%= config.bin %> run --dry-run --job prod/web web.aurora',
    '<%= config.bin %> run --daemon web.json',
    '<%= config.bin %> run --json web.thermos | jq -r .state',
  ];
  static override exitCodes = { ...ThermosCommand.exitCodes, ...RUN_EXIT_CODES };
  static override seeAlso = ['inspect', 'simplerun', 'status', 'tail', 'wait', 'kill'];

  static override args = {
    config: Args.string({ required: true, ignoreStdin: true, description: 'The config.' }),
  };

  static override flags = {
    ...RUN_FLAGS,
    ...CONFIG_FLAGS,
    'enable-chroot': Flags.boolean({ summary: 'Run processes with the sandbox as /; root is needed.' }),
    'dry-run': Flags.boolean({ exclusive: ['daemon'], summary: 'Show what would be run, and run nothing.' }),
  };

  async run(): Promise<number> {
    expectSignals();
    const { args, flags } = await this.parse(Run);
    const { prepareRun } = await import('../cli/config.js');
    const prepared = await prepareRun(args.config, flags, this.terminal);
    const { document, text, problems, exitCode } = await runTask(prepared, flags, this.terminal, {
      tell: (problems) => this.tell(problems),
    });
    this.answer(flags.json, document, text, problems);
    return exitCode;
  }
}
