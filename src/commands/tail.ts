import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { parseLines, parseRuns, showLogs } from '../cli/tail.js';

export default class Tail extends ThermosCommand {
  static override summary = 'Show the last lines of the logs of a task, and follow them.';
  static override description =
    `Without PROCESS the logs of all processes, each with its stdout and stderr. Lines of several logs are told apart by
"PROCESS RUN STREAM |" in front of them; a log that is alone is printed as it is, byte for byte.

What runs is followed: into the next run of a process, across rotations, until nothing more can come. Rotated
backups are read as far as they are needed. Logs have no times: old lines are ordered by the start of their run.

TASK is a task id, a regular expression or glob, the beginning of ids, or a path: a sandbox, a task root, a
task file. Inside a sandbox with one task it may be left out. PROCESS is a name or a glob.`;
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
    follow: Flags.boolean({ char: 'f', exclusive: ['no-follow'], summary: 'Follow, or wait for the start.' }),
    'no-follow': Flags.boolean({ summary: 'Stop after the last lines, though it runs.' }),
    stdout: Flags.boolean({ summary: 'Only stdout.' }),
    stderr: Flags.boolean({ summary: 'Only stderr.' }),
    run: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'N,…|all',
      summary: 'Runs by number, 0 the first, -1 the last, instead of the last one.',
    }),
    'no-prefix': Flags.boolean({ summary: 'Nothing in front of the lines.' }),
    path: Flags.boolean({
      exclusive: ['follow', 'no-follow', 'lines', 'no-prefix'],
      summary: 'Print where the files are, the oldest backup first, instead of what is in them.',
    }),
  };

  async run(): Promise<number> {
    const { raw, flags } = await this.parse(Tail);
    // Not `argv`: oclif sorts that, and takes the value of a flag for an argument that is equal to it.
    const [task, ...processes] = raw.filter(({ type }) => type === 'arg').map(({ input }) => input);
    const chosen = {
      ...flags,
      lines: parseLines(flags.lines),
      follow: flags.follow ? true : flags['no-follow'] ? false : undefined,
      run: flags.run === undefined ? ('last' as const) : parseRuns(flags.run),
      prefix: !flags['no-prefix'],
    };
    return showLogs(task, processes, chosen, this.terminal, (problems) => this.tell(problems));
  }
}
