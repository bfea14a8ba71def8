import * as Args from '@oclif/core/args';
import { AGENT_ENVIRONMENT } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import { keepReports, viewerPage, writeReports } from '../cli/report.js';
import { REPORT_FLAGS } from '../cli/report-flags.js';
import type { ReportDocument } from '../contracts/report.js';
import { EXIT } from '../errors/exit-codes.js';
import { reportSummary } from '../views/report.js';

export default class Report extends ThermosCommand {
  static override summary = 'Write a page for each task: why it is in its state, its runs, and its logs.';
  static override description =
    `Each task gets DIR/task/ID/index.html, one file that needs no other: a browser opens it from disk, from an e-mail
and from any web server, and it loads nothing. Beside it are report.txt, the same as text with the answer at its end,
and report.js, its data. DIR/index.html lists the tasks, those that need attention first. The pages of tasks that are
not named stay as they are, but are not in the list.

With DIR served on port 1338, the links of Aurora's UI to the observer lead to these pages.

A page has the first 20 and the last 200 lines of each log, and at most --log-bytes of all logs: the process that
failed first has precedence. As root, what is written belongs to the owner of the directory that it is written in.

TASK is a task id, a regular expression or glob, any part of ids (the beginning is tried first), a job's key
(ROLE/ENV/JOB or ROLE/ENV/JOB/INSTANCE), or a path: a sandbox, a task root, a task file. Without TASK, all tasks get a
page; inside a sandbox, the tasks of its root.`;
  static override examples = [
    '<%= config.bin %> report www-data-prod-web-0',
    'sudo <%= config.bin %> report --out /var/www/thermos',
    '<%= config.bin %> report --agent-url http://agent-1:5051 --master-url http://master:5050 www-data-prod-web-0',
    'sudo <%= config.bin %> report --watch --out /var/www/thermos',
    '<%= config.bin %> report --viewer > thermos.html',
    '<%= config.bin %> report --usage top.ndjson www-data-prod-web-0',
    '<%= config.bin %> report --trace --log-bytes 0 www-data-prod-web-0',
    '<%= config.bin %> report --json | jq -r ".pages[].path"',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task matches.',
    partial: 'Done in part: something could not be read or written; stderr says what.',
  };
  static override environment = {
    ...ThermosCommand.environment,
    ...AGENT_ENVIRONMENT,
    MESOS_AGENT_ENDPOINT:
      'The address of the agent, if there is no --agent-url; agents set it for executors.',
  };
  static override seeAlso = ['inspect', 'status', 'tail', 'top'];

  static override args = {
    task: Args.string({ multiple: true, ignoreStdin: true, description: 'Tasks to write pages for.' }),
  };

  static override flags = REPORT_FLAGS;

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Report);
    const madeBy = `${this.config.name} ${this.config.version}`;
    const words = args.task ?? [];
    if (flags.viewer) {
      this.terminal.write(viewerPage(words));
      return EXIT.ok;
    }
    if (flags.watch) return await keepReports(words, flags, madeBy, this.terminal);
    const answer = await writeReports(words, flags, madeBy, this.terminal);
    const { pages, index, problems, notice } = answer;
    const document: ReportDocument = { pages: [...pages], index, problems: [...problems] };
    const exitCode = this.answer(flags.json, document, () => reportSummary(answer), problems);
    if (notice !== undefined) this.notice(notice);
    return exitCode;
  }
}
