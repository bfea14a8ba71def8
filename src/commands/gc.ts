import * as Args from '@oclif/core/args';
import { collectGarbage } from '../app/gc.js';
import { ThermosCommand } from '../cli/base-command.js';
import { confirmationOn } from '../cli/confirm.js';
import { GC_FLAGS, gcAnswer, gcOptions, planText, withDefaultLimits } from '../cli/gc.js';
import { progressOn } from '../cli/progress.js';
import { DURATION_HELP } from '../text/duration.js';

export default class Gc extends ThermosCommand {
  static override summary = 'Remove finished tasks by age, number and space; end tasks whose runner died.';
  static override description =
    `Without a limit, all finished tasks are removed. With limits, the tasks beyond any limit are removed; the newest stay. TASK is an exact id or a pattern that matches the whole id. It restricts which tasks are considered, and limits count only those. Metadata and logs are deleted. Data is deleted only if thermos run made the sandbox in ROOT/sandboxes, or with --delete-data. The plan is shown first, and exactly that plan is carried out. A plan that does not fit on the terminal is folded, with everything that is left out counted; --verbose shows every task and path.

gc deletes only what is shown to be the task's own: by its place in the root, by the mark that thermos run leaves in the sandboxes it makes, or by the logs in it of all processes that ran. Everything else stays, and the answer says so; with --sandbox PATH, you state that it is the task's. Never deleted: system and home directories, mount points, what another task or another task root uses, and what is behind a link. Every refusal is reported. Sandboxes of a Mesos agent stay: the agent removes them itself, and the plan says when.

An active task without a live runner for --orphan-age becomes LOST: its last records are taken over, and its processes are killed if they are certainly its own. The next gc can collect it.

--retained compares this host with what the scheduler believes: FILE is a JSON object of task ids and schedule statuses. Tasks that it does not list are collected or killed; the answer says what to report to the scheduler.

${DURATION_HELP}`;
  static override examples = [
    '<%= config.bin %> gc --dry-run',
    'sudo <%= config.bin %> gc --max-age 2d5h --max-space 20G --yes',
    "<%= config.bin %> gc 'www-data-devel-.*' --max-tasks 5 --delete-data",
    '<%= config.bin %> gc --retained believed.json --dry-run --json | jq ".reconcile[] | select(.send)"',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task matches, there is no task root, or you answered no.',
    usage: 'The command line is wrong, or there is no terminal to ask and no --yes: nothing was touched.',
    partial: 'Done in part: something could not be removed, or was refused; stderr says what.',
  };
  static override seeAlso = ['status', 'inspect', 'roots'];

  static override args = {
    task: Args.string({ multiple: true, ignoreStdin: true, description: 'Tasks to collect.' }),
  };

  static override flags = GC_FLAGS;

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Gc);
    const words = args.task ?? [];
    const options = gcOptions(words, withDefaultLimits(words, flags, this.defaults.gc));
    const result = collectGarbage(options, {
      now: () => this.terminal.now(),
      confirmation: confirmationOn(this.terminal, planText(flags)),
      progress: progressOn(this.terminal, flags),
    });
    const { document, text, notice } = gcAnswer(result, flags);
    const code = this.answer(flags.json, document, text, result.problems, result.exitCode);
    if (notice !== undefined) this.notice(notice);
    return code;
  }
}
