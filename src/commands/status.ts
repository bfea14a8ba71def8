import * as Args from '@oclif/core/args';
import { AGENT_ENVIRONMENT } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import { showStatus, watchStatus } from '../cli/status.js';
import { STATUS_FLAGS } from '../cli/status-flags.js';
import { EXIT } from '../errors/exit-codes.js';
import { DURATION_HELP } from '../text/duration.js';

export default class Status extends ThermosCommand {
  static override summary = 'Show the tasks of this host and their states.';
  static override description =
    `STATE is what the checkpoint streams record. VERDICT says how that compares with this host: ok, runner-gone
(active, but its runner is dead), host-rebooted, leftovers (over, but some of its processes are alive), foreign-pids
(recorded in a container), unknown (cannot be read). DONE counts processes that succeeded.

Active tasks come first, by id, then finished ones, the newest first. On a terminal that is too narrow, PHASE, USER and
DONE are left out, and ids are shortened: those of Aurora to ROLE/ENVIRONMENT/JOB/INSTANCE and the start of the uuid.

--columns cpu,rss,disk measures what active tasks use: CPU in cores, on average since their processes started,
resident memory, and what sandbox and logs occupy. \`>\` before a size means that it could not be counted completely.
\`top\` shows what they use from moment to moment.

TASK is a task id, a regular expression or glob, any part of ids (the beginning is tried first), a job's key
(ROLE/ENV/JOB or ROLE/ENV/JOB/INSTANCE), or a path: a sandbox, a task root, a task file. Without TASK, all tasks are
shown; inside a sandbox, the tasks of its root.

--json --stream prints a line for each task as soon as it is read, those of agents as they answer: {"task": …}, then
{"problem": …} for what could not be read, and {"end": …} with the totals as the last line.

--prometheus prints the numbers of tasks by state and verdict, times, failures and what could not be read, as metrics.
The filters act on them. Its exit code is 0 even if there are no tasks, or something could not be read: the metrics
say so.

${DURATION_HELP}`;
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status --only active --verbosity 3 www-data-prod-web',
    '<%= config.bin %> status --failed --since 2h',
    '<%= config.bin %> status --sort failures --limit 10 --columns task,failed,age',
    '<%= config.bin %> status --only active --columns task,cpu,rss,disk,age',
    '<%= config.bin %> status --state FAILED,LOST --quiet',
    '<%= config.bin %> status --prometheus > thermos.prom.new && mv thermos.prom.new thermos.prom',
    '<%= config.bin %> status --json | jq -r ".tasks[] | select(.verdict != \\"ok\\") | .task_id"',
  ];
  static override exitCodes = { ...ThermosCommand.exitCodes, no: 'There is no task, or none matches.' };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override seeAlso = ['inspect', 'tail', 'top', 'roots'];

  static override args = {
    task: Args.string({ multiple: true, ignoreStdin: true, description: 'Tasks to show.' }),
  };

  static override flags = STATUS_FLAGS;

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Status);
    // Not argv: oclif changes the order of repeated words in it.
    const words = args.task ?? [];
    if (flags.watch) return watchStatus(words, flags, this.terminal, this.defaults.problems);
    if (flags.prometheus) {
      const { showMetrics } = await import('../cli/status-metrics.js');
      this.report(await showMetrics(words, flags, this.terminal, this.config.version));
      return EXIT.ok;
    }
    const { problems: known } = this.defaults;
    if (flags.stream) {
      const { streamStatus } = await import('../cli/status-stream.js');
      const { problems, exitCode } = await streamStatus(words, flags, this.terminal, known);
      return this.finish(problems, exitCode);
    }
    const { problems, exitCode, notice } = await showStatus(words, flags, this.terminal, known);
    if (notice !== undefined) this.notice(notice);
    return this.finish(problems, exitCode);
  }
}
