import * as Args from '@oclif/core/args';
import { AGENT_ENVIRONMENT } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { showTop } from '../cli/top.js';
import { TOP_FLAGS } from '../cli/top-flags.js';
import { DURATION_HELP } from '../text/duration.js';

export default class TopCommand extends ThermosCommand {
  static override summary = 'Show what the active tasks use, against what they asked for.';
  static override description =
    `CPU is processor time in cores over the last interval, including that of children that have ended since. RSS is
the memory of all processes of the task: pages that they share count in each of them. CPU%, RAM% and DISK% are of what
the task asked for; above 100 they have a mark, and are red. THR, PIDS and FDS count threads, processes and open file
descriptors; READ/s and WRITE/s is what goes from and to storage. What cannot be seen is shown as -.

A task consists of the sessions of its coordinators, their descendants, and whatever was a descendant in an earlier
sample. The runner and the coordinators are not counted: they are the price of thermos, not of the task.

On a terminal, the screen is drawn again after each interval, with these keys: s and > sort by the next column, < by the
one before, r reverses; / filters; p shows processes; k ends the selected task after a question, l shows its logs, i
inspects it; ? lists all keys; q ends, with 0 whatever was shown. On a pipe, one sample is printed after one interval.

With --record, each sample is also appended to a file; on a pipe, nothing is printed then unless --once, --count or
--json is given, and a signal ends it. report --usage shows what was recorded.

With --agent, the numbers are those that the agent has for the executor's container: they include executor, runner and
coordinators, and which process uses what is not known.

TASK is a word as for status. Without TASK, all active tasks are shown.

${DURATION_HELP}`;
  static override examples = [
    '<%= config.bin %> top',
    '<%= config.bin %> top --once --sort rss --processes www-data-prod-web-0',
    '<%= config.bin %> top --once --sort disk% --agent agent-1 --agent agent-2',
    '<%= config.bin %> top --json --interval 10s --count 6 | jq -c ".tasks[] | [.task_id, .cpu, .rss_bytes]"',
    '<%= config.bin %> top --interval 20s --record top.ndjson',
  ];
  static override exitCodes = { ...ThermosCommand.exitCodes, no: 'No task is active, or none matches.' };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override seeAlso = ['status', 'inspect', 'report', 'kill'];

  static override completes: CompletionKinds = { task: 'active-task' };

  static override args = {
    task: Args.string({ multiple: true, ignoreStdin: true, description: 'Tasks to show.' }),
  };

  static override flags = TOP_FLAGS;

  async run(): Promise<number> {
    const { args, flags } = await this.parse(TopCommand);
    return showTop(args.task ?? [], flags, this.terminal);
  }
}
