import * as Args from '@oclif/core/args';
import { ThermosCommand } from '../cli/base-command.js';
import { inspectTask } from '../cli/inspect.js';

export default class Inspect extends ThermosCommand {
  static override summary = 'Show all that is known of one task, and why it is as it is.';
  static override description =
    `The header, every run of every process, the ordering, command lines, ports, resources, logs; first of all WHY:
the process that failed first with the end of its stderr, what is used of the failure budget, what a process
waits for, how long the runner has been silent.

TASK is a task id, a pattern or the beginning of an id that means one task, or a path: a sandbox, a task root, a
task file. Inside a sandbox it may be left out.`;
  static override examples = [
    '<%= config.bin %> inspect www-data-prod-web-0',
    '<%= config.bin %> inspect /var/lib/mesos/slaves/S0/frameworks/F/executors/thermos-web/runs/latest',
    '<%= config.bin %> inspect www-data-prod-web-0 --json | jq -r ".why[]"',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    1: 'No task matches.',
    2: 'The command line is wrong, or TASK means several tasks.',
  };
  static override seeAlso = ['status', 'tail', 'read'];

  static override args = {
    task: Args.string({ ignoreStdin: true, description: 'The task.' }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Inspect);
    const { document, text, problems } = inspectTask(args.task, flags, this.terminal.now());
    return this.answer(flags.json, document, text, problems);
  }
}
