import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { EXACT_FLAG } from '../cli/exact-flag.js';
import { restartOn } from '../cli/restart.js';
import type { RestartDocument } from '../contracts/run.js';
import { EXIT_MEANINGS } from '../errors/exit-codes.js';
import { DURATION_HELP, parseDuration } from '../text/duration.js';
import { restartText } from '../views/restart.js';

export default class Restart extends ThermosCommand {
  static override summary = 'Restart a process of a running task.';
  static override description =
    `Ends the run of a process, and its runner, ours or the original's, starts the next one. The main process gets
SIGTERM; when it has ended, what it started gets SIGTERM too; what is left after --grace is killed. Then its
coordinator, which was held meanwhile, is killed: the stream records the run as LOST, whatever the process did, and a
LOST run never counts against max_failures. Nothing of the old run is alive when the next one starts.

The next run starts after min_duration (5s by default), and restart waits until it is RUNNING. Processes that wait for
this one go on waiting. inspect and doctor say who restarted what, and when.

Processes that are not running, wait, or are done are refused; so are tasks that are ending or have no live runner,
and processes that have run 100 times, which is as often as a runner runs them.

TASK is a task id, a regular expression or glob for the whole id of one task, or a path. If a pattern names the task,
you are asked before the process is restarted.

${DURATION_HELP}`;
  static override examples = [
    '<%= config.bin %> restart www-data-prod-web-0 nginx',
    '<%= config.bin %> restart --grace 5s www-data-prod-web-0 java',
    '<%= config.bin %> restart --json www-data-prod-web-0 nginx | jq .now.pid',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    ok: 'The process was restarted.',
    no: 'There is no such task or process, the process is not running, it ended by itself, or you answered no.',
    usage: 'The command line is wrong, TASK matches several tasks, or its files are not trusted.',
    partial:
      'The process cannot be restarted, or its old run ended and no next one can come; stderr says why.',
    timeout: `${EXIT_MEANINGS.timeout.slice(0, -1)}: the old run ended, but the next one is not yet RUNNING.`,
  };
  static override seeAlso = ['signal', 'kill', 'wait', 'inspect'];

  static override completes: CompletionKinds = { task: 'active-task', process: 'running-process' };

  static override args = {
    task: Args.string({ required: true, ignoreStdin: true, description: 'The task.' }),
    process: Args.string({ required: true, ignoreStdin: true, description: 'Its process.' }),
  };

  static override flags = {
    ...EXACT_FLAG,
    grace: Flags.string({
      default: '60s',
      helpValue: 'DURATION',
      summary: 'How long the process may take to end before it is killed.',
    }),
    timeout: Flags.string({
      default: '60s',
      helpValue: 'DURATION',
      exclusive: ['no-wait'],
      summary: 'How long to wait for the next run, after min_duration.',
    }),
    'no-wait': Flags.boolean({ summary: 'Do not wait for the next run.' }),
    yes: Flags.boolean({ char: 'y', aliases: ['force'], summary: 'Do not ask; --force means the same.' }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Restart);
    const graceMs = parseDuration(flags.grace, 'grace');
    const timeoutMs = parseDuration(flags.timeout, 'timeout');
    const waitMs = flags['no-wait'] ? undefined : timeoutMs;
    const options = { roots: flags, task: args.task, process: args.process, yes: flags.yes, graceMs, waitMs };
    const answer = await restartOn(this.terminal, flags, options, (text) => this.notice(text));
    if (typeof answer === 'number') return answer;
    const { signalled, problems, ...rest } = answer;
    const document: RestartDocument = { ...rest, signalled: [...signalled], problems: [...problems] };
    return this.answer(flags.json, document, (style) => restartText(document, style), problems);
  }
}
