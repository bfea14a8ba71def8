import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { killTasks } from '../app/kill.js';
import { LocalTask } from '../app/local-task.js';
import { ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { confirmationOn } from '../cli/confirm.js';
import { EXACT_FLAG } from '../cli/exact-flag.js';
import { coordinatorPrograms } from '../cli/programs.js';
import { progressOn } from '../cli/progress.js';
import type { KillDocument } from '../contracts/run.js';
import { DURATION_HELP, parseDuration } from '../text/duration.js';
import { killListText, killText } from '../views/kill.js';

export default class Kill extends ThermosCommand {
  static override summary = 'End tasks: gracefully first, then by force.';
  static override description =
    `Asks the runner to end the task: processes get SIGTERM, final processes run, and the task is KILLED. If the task
has no runner, or its runner dies of the request, this command becomes its runner and does the same. Stopped processes
are continued, so that they can end. Those that do not end within --grace are killed. Processes are signalled only if
they are certainly the task's.

TASK is a task id, a path (a sandbox, a task file …), or a regular expression or glob for the whole id: kk-1
never means kk-10. With --exact, it is an id and nothing else, for scripts that have one. The tasks that a pattern
matches are listed, and you are asked before they are ended.

${DURATION_HELP}`;
  static override examples = [
    '<%= config.bin %> kill www-data-prod-web-0',
    '<%= config.bin %> kill --dry-run "www-data-prod-.*"',
    '<%= config.bin %> kill --now --yes "www-data-test-*"',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    ok: 'The tasks are over.',
    no: 'There is no such task, or you answered no.',
    usage: 'The command line is wrong, or a pattern is given without a terminal and without --yes.',
    partial: 'A task could not be ended, or only in part; stderr says why.',
  };
  static override seeAlso = ['status', 'wait', 'run'];

  static override completes: CompletionKinds = { task: 'active-task' };

  static override args = {
    task: Args.string({ multiple: true, required: true, ignoreStdin: true, description: 'Tasks to end.' }),
  };

  static override flags = {
    ...EXACT_FLAG,
    now: Flags.boolean({ summary: 'End at once: SIGKILL to all processes, no final processes.' }),
    lose: Flags.boolean({
      summary: 'Give processes no time, run no final processes, and record the task as LOST.',
    }),
    grace: Flags.string({
      default: '60s',
      helpValue: 'DURATION',
      summary: 'How long processes may take to end, and final processes to run.',
    }),
    yes: Flags.boolean({ char: 'y', aliases: ['force'], summary: 'Do not ask; --force means the same.' }),
    'dry-run': Flags.boolean({ summary: 'Show what would be ended, and do nothing.' }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Kill);
    const { now, lose, yes } = flags;
    const how = { now, lose, yes, dryRun: flags['dry-run'], graceMs: parseDuration(flags.grace, 'grace') };
    const machine = { now: () => this.terminal.now(), coordinator: coordinatorPrograms() };
    const { tasks, planned, problems, exitCode } = await killTasks(
      { ...how, roots: flags, words: args.task ?? [] },
      {
        confirmation: confirmationOn(this.terminal, killListText),
        progress: progressOn(this.terminal, flags),
        task: (found) => new LocalTask(found, machine),
      },
    );
    const killed = tasks.map(({ already: _, ...task }) => task);
    const document: KillDocument = { tasks: killed, problems: [...problems] };
    const shown = how.dryRun ? tasks.filter(({ already }) => already) : tasks;
    const text = (style: typeof this.style) => killListText(planned, style) + killText(shown, style);
    this.answer(flags.json, document, text, problems);
    return exitCode;
  }
}
