import * as Args from '@oclif/core/args';
import { ThermosCommand } from '../cli/base-command.js';
import { CONFIG_FLAGS } from '../cli/config-flags.js';
import { inspectTarget } from '../cli/inspect.js';

export default class Inspect extends ThermosCommand {
  static override summary =
    'Show all that is known of one task, and why it is as it is; or what a config says.';
  static override description =
    `The header, every run of every process, the ordering, command lines, ports, resources, logs; first of all WHY:
the process that failed first with the end of its stderr, what is used of the failure budget, what a process
waits for, how long the runner has been silent.

Of a config (.thermos, .aurora, or a task in JSON) the evaluated task: processes with their command lines, the
ordering, resources, limits, ports. Nothing is executed but the config itself. What is wrong with it, and what is
hardly meant, is told on stderr, in the document as \`lint\`. What only a run knows, as {{thermos.ports[http]}},
stays as it is.

TARGET is a task id, a pattern or the beginning of an id that means one task, or a path: a sandbox, a task root,
a task file; else a config. Inside a sandbox it may be left out.`;
  static override examples = [
    '<%= config.bin %> inspect www-data-prod-web-0',
    '<%= config.bin %> inspect /var/lib/mesos/slaves/S0/frameworks/F/executors/thermos-web/runs/latest',
    '<%= config.bin %> inspect www-data-prod-web-0 --json | jq -r ".why[]"',
    '<%= config.bin %> inspect web.thermos --task web --environment profile.version=1.2',
    '<%= config.bin %> inspect web.aurora --job prod/web --instance 2 --json | jq .task',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task matches; or no run would take the config: an error is in its lint.',
    usage: 'The command line is wrong, TARGET means several tasks, or the config gives no task.',
  };
  static override seeAlso = ['status', 'tail', 'read', 'run'];

  static override args = {
    target: Args.string({ ignoreStdin: true, description: 'The task, or the config.' }),
  };
  static override flags = CONFIG_FLAGS;

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Inspect);
    const { document, text, problems, exitCode } = await inspectTarget(args.target, flags, this.terminal);
    return this.answer(flags.json, document, text, problems, exitCode);
  }
}
