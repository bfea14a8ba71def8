import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { collectGarbage } from '../cli/gc.js';

const LIMIT = { helpGroup: 'LIMIT' };

export default class Gc extends ThermosCommand {
  static override summary = 'Remove finished tasks by age, number and space; end those whose runner died.';
  static override description =
    `Without a limit all finished tasks go, with limits those beyond any of them; the newest stay. TASK, an exact id or a pattern that matches the whole id, restricts what is looked at: limits count among those. Metadata and logs are deleted; data only of a sandbox that thermos run made in ROOT/sandboxes, or with --delete-data. The plan is shown first, and exactly that is removed.

Nothing is deleted that is not shown to be the task's own: by its place in the root, by the mark that thermos run leaves in the sandboxes that it makes, or by the logs in it of all processes that ran. What nothing shows stays, and the answer says so; --sandbox PATH says that it is the task's. Never deleted: system and home directories, mount points, what another task or another task root uses, what is behind a link. What is refused is said. Sandboxes of a Mesos agent stay: it removes them itself, and the plan says when.

An active task without a live runner for --orphan-age becomes LOST: its last records are taken over, its processes killed if they are certainly its own. The next gc can collect it.

--retained compares with what the scheduler believes: a JSON object of task ids and schedule statuses. Tasks that it does not know are collected or killed; what it should be told is in the answer.`;
  static override examples = [
    '<%= config.bin %> gc --dry-run',
    'sudo <%= config.bin %> gc --max-age 2d5h --max-space 20G --yes',
    "<%= config.bin %> gc 'www-data-devel-.*' --max-tasks 5 --delete-data",
    '<%= config.bin %> gc --retained believed.json --dry-run --json | jq ".reconcile[] | select(.send)"',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task matches, there is no task root, or the question was answered with no.',
    usage: 'The command line is wrong, or there is no terminal to ask and no --yes: nothing was touched.',
    partial: 'Done in part: something could not be removed, or was refused; stderr says what.',
  };
  static override seeAlso = ['status', 'inspect', 'roots'];

  static override args = {
    task: Args.string({ multiple: true, ignoreStdin: true, description: 'Tasks to collect.' }),
  };

  static override flags = {
    'max-age': Flags.string({ ...LIMIT, helpValue: '2d5h', summary: 'Keep what finished since.' }),
    'max-tasks': Flags.string({ ...LIMIT, helpValue: 'N', summary: 'Keep the newest N.' }),
    'max-space': Flags.string({ ...LIMIT, helpValue: '20G', summary: 'Keep the newest up to this.' }),
    'keep-metadata': Flags.boolean({
      summary: 'Keep checkpoints and task files.',
      exclusive: ['delete-metadata'],
    }),
    'delete-metadata': Flags.boolean({ summary: 'Delete checkpoints and task files; the default.' }),
    'keep-logs': Flags.boolean({ summary: 'Keep logs.', exclusive: ['delete-logs'] }),
    'delete-logs': Flags.boolean({ summary: 'Delete logs; the default.' }),
    'keep-data': Flags.boolean({ summary: 'Keep sandboxes.', exclusive: ['delete-data'] }),
    'delete-data': Flags.boolean({ summary: 'Delete sandboxes.' }),
    sandbox: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'PATH',
      summary: "Delete this sandbox, too: you say that it is the task's own.",
    }),
    orphans: Flags.boolean({ default: true, allowNo: true, summary: 'End tasks whose runner died.' }),
    'orphan-age': Flags.string({
      default: '1h',
      helpValue: '1h',
      summary: 'How long a stream has been still.',
    }),
    'include-mesos': Flags.boolean({
      summary: 'Remove metadata and logs of Mesos tasks too, if they are over and their executors gone.',
    }),
    retained: Flags.string({
      helpValue: 'FILE',
      exclusive: ['max-age', 'max-tasks', 'max-space'],
      summary: 'Compare with the tasks that the scheduler has; - is stdin.',
    }),
    'dry-run': Flags.boolean({ aliases: ['dryrun'], summary: 'Show the plan and do nothing.' }),
    yes: Flags.boolean({ char: 'y', aliases: ['force'], summary: 'Do not ask.' }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Gc);
    const answer = collectGarbage(args.task ?? [], flags, this.terminal);
    const code = this.answer(flags.json, answer.document, answer.text, answer.problems, answer.exitCode);
    if (answer.notice !== undefined) this.notice(answer.notice);
    return code;
  }
}
