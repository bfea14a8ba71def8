import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { CONFIG_FLAGS } from '../cli/config-flags.js';
import { prepareRunOf } from '../cli/prepare-run.js';
import { expectSignals } from '../cli/run-control.js';
import { RUN_EXIT_CODES, RUN_FLAGS } from '../cli/run-flags.js';
import { runTask } from '../cli/run-task.js';

export default class Run extends ThermosCommand {
  static override summary = 'Run a task, resume one that lost its runner, or run one again.';
  static override description =
    `Runs the task until it is over: processes in their order, failed processes again as often as they may run, and final
processes last. On a terminal, shows the processes with their output below them; elsewhere, prints the output line by
line, with the process in front. The output is also in log files: see 'thermos tail'.

Ctrl-C or SIGTERM ends the task gracefully: processes get SIGTERM, final processes run. A second signal ends it at
once. A runner that is killed leaves its processes running; 'run' with the same config and --task-id resumes the task.

CONFIG is a Python file (.thermos, .aurora) or a task in JSON; its content decides which. The root is --root,
otherwise /var/run/thermos if you may write there, otherwise your own; below a Mesos executor, the root is 'checkpoints'
and the sandbox is 'sandbox' in $MESOS_SANDBOX. With --dry-run, shows the task as it would be
run, with the command lines that bash would get; nothing is executed except the config itself.

--only runs the processes that it names, --from those and all that wait for them, with the final ones. What waits for what
stays as it is, also through processes that are left out. The task that is recorded has only these processes. The files of
an earlier run are there if both have the same --sandbox.

--again runs a task that is on disk, active or finished, in a sandbox of its own. TASK is found as 'inspect' finds it. Its
task file has everything filled in, ports too, so that -E and -P are refused; it does not have the flags of the first run,
such as --preserve-env, nor what Mesos gave the task. Root runs it as its user. Files that anybody other than root and the
user who runs them could have written are refused; root refuses all files in sandboxes of Mesos.`;
  static override examples = [
    '<%= config.bin %> run web.thermos',
    '<%= config.bin %> run --task-id web-1 --port http:8080 --environment profile.version=1.2 web.thermos',
    '<%= config.bin %> run --dry-run --job prod/web web.aurora',
    '<%= config.bin %> run --daemon web.json',
    '<%= config.bin %> run --only extract,load --sandbox /tmp/etl etl.thermos',
    '<%= config.bin %> run --from load --sandbox /tmp/etl etl.thermos',
    '<%= config.bin %> run --again web-1 --daemon',
    '<%= config.bin %> run --json web.thermos | jq -r .state',
  ];
  static override exitCodes = { ...ThermosCommand.exitCodes, ...RUN_EXIT_CODES };
  static override seeAlso = ['init', 'inspect', 'simplerun', 'status', 'tail', 'wait', 'kill'];
  static override completes: CompletionKinds = {
    again: 'task',
    only: 'config-process',
    from: 'config-process',
  };

  static override usage = ['CONFIG [FLAGS]', '--again TASK [FLAGS]'];
  static override args = {
    config: Args.string({ ignoreStdin: true, description: 'The config; not with --again.' }),
  };

  static override flags = {
    ...RUN_FLAGS,
    ...CONFIG_FLAGS,
    again: Flags.string({
      helpValue: 'TASK',
      summary: 'Run the task file of this task, under a new id, instead of a config.',
    }),
    'enable-chroot': Flags.boolean({
      summary: 'Run processes with the sandbox as /; only root may do this.',
    }),
    'dry-run': Flags.boolean({ exclusive: ['daemon'], summary: 'Show what would be run, and run nothing.' }),
  };

  async run(): Promise<number> {
    expectSignals();
    const { args, flags } = await this.parse(Run);
    const run = await prepareRunOf(args.config, flags, this.terminal);
    const { document, text, problems, exitCode } = await runTask(run.prepared, run.flags, this.terminal, {
      report: (problems) => this.report(problems),
      notice: () => run.notice !== undefined && this.notice(run.notice),
    });
    // The result is the last that is shown.
    this.report(problems);
    this.answer(flags.json, document, text, []);
    return exitCode;
  }
}
