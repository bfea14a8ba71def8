import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { parseLines, parseRuns, showLogs } from '../cli/tail.js';

export default class Tail extends ThermosCommand {
  static override summary = 'Show the last lines of the logs of a task, and follow them.';
  static override description =
    `Without PROCESS, shows stdout and stderr of all processes. If there are several logs, each line starts with
"PROCESS RUN STREAM |"; a single log is printed unchanged, byte for byte.

Running processes are followed: into their next run, across rotations, until nothing more can come. Rotated
backups are read as far as needed. Logs have no times, so old lines are ordered by the start of their run.

TASK is a task id, a regular expression or glob, any part of ids (the beginning is tried first), a job's key
(ROLE/ENV/JOB or ROLE/ENV/JOB/INSTANCE), or a path: a sandbox, a task root, a task file. Inside a sandbox with one task it may be left out. PROCESS is a name or a glob.`;
  static override examples = [
    '<%= config.bin %> tail www-data-prod-web-0',
    '<%= config.bin %> tail --lines 100 --stderr --no-follow www-data-prod-web-0 web',
    '<%= config.bin %> tail --lines all --run -2 www-data-prod-web-0 web',
    '<%= config.bin %> tail --json www-data-prod-web-0 | jq -r "select(.stream == \\"stderr\\").line"',
    'less $(<%= config.bin %> tail --path --stdout www-data-prod-web-0 web)',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task, process or run matches, or there is no log; stderr says why.',
  };
  static override seeAlso = ['inspect', 'status'];

  static override strict = false;
  static override args = {
    task: Args.string({ ignoreStdin: true, description: 'The task.' }),
    process: { ...Args.string({ ignoreStdin: true, description: 'Processes to show.' }), repeats: true },
  };

  static override flags = {
    lines: Flags.string({
      char: 'n',
      default: '10',
      helpValue: 'N|all',
      summary: 'How many lines of each log to show first.',
    }),
    follow: Flags.boolean({
      char: 'f',
      exclusive: ['no-follow'],
      summary: 'Follow the logs, or wait for them to start.',
    }),
    'no-follow': Flags.boolean({ summary: 'Stop after the last lines, even if the task runs.' }),
    stdout: Flags.boolean({ summary: 'Show only stdout.' }),
    stderr: Flags.boolean({ summary: 'Show only stderr.' }),
    run: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'N,…|all',
      summary: 'Show these runs instead of the last one; 0 is the first, -1 the last.',
    }),
    'no-prefix': Flags.boolean({ summary: 'Print lines without a prefix.' }),
    path: Flags.boolean({
      exclusive: ['follow', 'no-follow', 'lines', 'no-prefix'],
      summary: 'Print the paths of the files, the oldest backup first, instead of their content.',
    }),
  };

  async run(): Promise<number> {
    const { raw, flags } = await this.parse(Tail);
    // Not `argv`: oclif sorts it, and mistakes the value of a flag for an argument with the same text.
    const [task, ...processes] = raw.filter(({ type }) => type === 'arg').map(({ input }) => input);
    const chosen = {
      ...flags,
      lines: parseLines(flags.lines),
      follow: flags.follow ? true : flags['no-follow'] ? false : undefined,
      run: flags.run === undefined ? ('last' as const) : parseRuns(flags.run),
      prefix: !flags['no-prefix'],
    };
    return showLogs(task, processes, chosen, this.terminal, (problems) => this.report(problems));
  }
}
