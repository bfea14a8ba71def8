import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { showStatus, watchStatus } from '../cli/status.js';
import { DURATION_HELP } from '../text/duration.js';

const STATES = ['ACTIVE', 'CLEANING', 'FINALIZING', 'SUCCESS', 'FAILED', 'KILLED', 'LOST', 'UNKNOWN'];

export default class Status extends ThermosCommand {
  static override summary = 'Show the tasks of this host and their states.';
  static override description =
    `STATE is what the checkpoint streams record. VERDICT says how that compares with this host: ok, runner-gone (active,
but its runner is dead), host-rebooted, leftovers (over, but processes of it are alive), foreign-pids (recorded in
a container), unknown (cannot be read). DONE counts processes that succeeded.

TASK is a task id, a regular expression or glob, a prefix of ids, or a path: a sandbox, a task root, a
task file. Without TASK, all tasks are shown; inside a sandbox, the tasks of its root.

${DURATION_HELP}`;
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status --only active --verbosity 3 www-data-prod-web',
    '<%= config.bin %> status --state FAILED,LOST --quiet',
    '<%= config.bin %> status --json | jq -r ".tasks[] | select(.verdict != \\"ok\\") | .task_id"',
  ];
  static override exitCodes = { ...ThermosCommand.exitCodes, no: 'There is no task, or none matches.' };
  static override seeAlso = ['inspect', 'tail', 'roots'];

  static override args = {
    task: Args.string({ multiple: true, ignoreStdin: true, description: 'Tasks to show.' }),
  };

  static override flags = {
    only: Flags.string({ options: ['active', 'finished'], summary: 'Show only tasks in this phase.' }),
    state: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      options: STATES,
      parse: async (state) => state.toUpperCase(),
      helpValue: 'STATE,…',
      summary: 'Show only tasks in one of these states.',
    }),
    verbosity: Flags.integer({
      min: 0,
      max: 3,
      default: 1,
      summary: '0: ids and owners; 1: one line per task; 2: also user, ports and sandbox; 3: also processes.',
    }),
    watch: Flags.boolean({
      char: 'w',
      summary: 'Show the tasks again whenever they change, until interrupted.',
    }),
    interval: Flags.string({
      dependsOn: ['watch'],
      helpValue: 'DURATION',
      summary: 'How often --watch looks. [default: 2s]',
    }),
    quiet: Flags.boolean({
      char: 'q',
      exclusive: ['json', 'verbosity'],
      summary: 'Print only ids, one per line.',
    }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Status);
    // Not argv: oclif changes the order of repeated words in it.
    const words = args.task ?? [];
    if (flags.watch) return watchStatus(words, flags, this.terminal);
    const { problems, exitCode, notice } = await showStatus(words, flags, this.terminal);
    if (notice !== undefined) this.notice(notice);
    return this.finish(problems, exitCode);
  }
}
