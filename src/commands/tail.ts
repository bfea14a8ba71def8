import * as Args from '@oclif/core/args';
import { AGENT_ENVIRONMENT } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import { parseLines, runsOf, showLogs } from '../cli/tail.js';
import { TAIL_FLAGS } from '../cli/tail-flags.js';
import { TIME_HELP } from '../text/time.js';

export default class Tail extends ThermosCommand {
  static override summary = 'Show the last lines of the logs of a task, and follow them.';
  static override description =
    `Without PROCESS, shows stdout and stderr of all processes. If there are several logs, each line starts with
"PROCESS RUN STREAM |"; a single log is printed unchanged, byte for byte.

Running processes are followed: into their next run, across rotations, until nothing more can come. Rotated
backups are read as far as needed. If TASK is a pattern or matches several tasks, those that start later are followed,
too. On a terminal, prefixes are in columns, with short ids, and control characters are escaped (not with --raw).

Lines have no times: old ones are ordered by the start of their run. --since and --until choose runs by when they began
and ended, and files by when they were last written; what a chosen file holds is shown, older lines too. Without --run,
all runs of that time are shown. --timestamps says when a line arrived while it was followed.

RE is a regular expression of RE2 (as in stern: no lookaround and no backreference, so that no line takes long to
match); ^ and $ are the ends of a line. A line longer than 8 MiB is split into lines of 8 MiB.

TASK is a task id, a regular expression or glob, any part of ids (the beginning is tried first), a job's key
(ROLE/ENV/JOB or ROLE/ENV/JOB/INSTANCE), or a path: a sandbox, a task root, a task file. Inside a sandbox with one task it may be left out. PROCESS is a name or a glob.

${TIME_HELP}`;
  static override examples = [
    '<%= config.bin %> tail www-data-prod-web-0',
    '<%= config.bin %> tail --lines 100 --stderr --no-follow www-data-prod-web-0 web',
    '<%= config.bin %> tail --lines all --run -2 www-data-prod-web-0 web',
    '<%= config.bin %> tail --previous --stderr www-data-prod-web-0 web',
    '<%= config.bin %> tail --grep "ERROR|FATAL" --exclude healthcheck --lines 50 www-data-prod-web-0',
    '<%= config.bin %> tail --since 2h --grep "took \\d{4,}ms" --lines all "www-data-prod-web-*"',
    '<%= config.bin %> tail --follow --timestamps --highlight "HTTP/1.. 5.." "www-data-prod-web-*" web',
    '<%= config.bin %> tail --json www-data-prod-web-0 | jq -r "select(.stream == \\"stderr\\").line"',
    'less $(<%= config.bin %> tail --path --stdout www-data-prod-web-0 web)',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task, process, run or line matches, or there is no log; stderr says why.',
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override seeAlso = ['inspect', 'status'];

  static override strict = false;
  static override args = {
    task: Args.string({ ignoreStdin: true, description: 'The task.' }),
    process: { ...Args.string({ ignoreStdin: true, description: 'Processes to show.' }), repeats: true },
  };

  static override flags = TAIL_FLAGS;

  async run(): Promise<number> {
    const { raw, flags } = await this.parse(Tail);
    // Not `argv`: oclif sorts it, and mistakes the value of a flag for an argument with the same text.
    const [task, ...processes] = raw.filter(({ type }) => type === 'arg').map(({ input }) => input);
    const chosen = {
      ...flags,
      lines: parseLines(flags.lines),
      follow: flags.follow ? true : flags['no-follow'] ? false : undefined,
      run: runsOf(flags),
      prefix: !flags['no-prefix'],
    };
    return showLogs(task, processes, chosen, this.terminal, (problems) => this.report(problems));
  }
}
