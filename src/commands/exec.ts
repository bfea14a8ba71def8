import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { EXACT_FLAG } from '../cli/exact-flag.js';
import { execCommand } from '../cli/exec.js';
import { UsageError } from '../errors/errors.js';
import { EXEC_EXIT_ROWS } from '../errors/exit-codes.js';

export default class Exec extends ThermosCommand {
  static override summary = 'Run a command, or a shell, beside a process of a task.';
  static override description =
    `The command is like the process: it has its user, groups, working directory, environment, umask and limits, and for
root also its namespaces and root directory. Nothing of the caller's is added but the terminal, TERM, and the ports of
the task as THERMOS_PORT_NAME. Without CMD, it is bash, or sh if the task has no bash.

Without PROCESS, the process is the first of the task that is running. CMD comes after --, so that its flags are its
own.

Root and the user of the task may do this. Root's terminal is kept from the command, which gets one of its own. For
the user of the task, the command keeps the groups of the caller, and enters no namespace: if the process has others,
use sudo, or stay outside with --no-namespaces.`;
  static override examples = [
    '<%= config.bin %> exec www-data-prod-web-0',
    '<%= config.bin %> exec www-data-prod-web-0 web',
    '<%= config.bin %> exec www-data-prod-web-0 -- ls -la .logs',
    `<%= config.bin %> exec www-data-prod-web-0 web -- sh -c 'curl -s localhost:$THERMOS_PORT_http/health'`,
    'sudo <%= config.bin %> exec --no-namespaces www-data-prod-web-0 -- strace -p 4711',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    ok: 'The command ended with 0. Every other exit code of the command is passed on, too.',
    no: 'There is no such task or process, or it is not running.',
    usage: 'The command line is wrong, or this user may not run a command there.',
    partial: 'The task could not be read, or this build of thermos lacks what root needs for it.',
    interrupted: undefined,
    terminated: undefined,
  };
  static moreExitRows = EXEC_EXIT_ROWS;
  static override seeAlso = ['ls', 'cat', 'signal', 'inspect'];

  static override completes: CompletionKinds = { task: 'active-task', process: 'running-process' };

  static override usage = 'TASK [PROCESS] [FLAGS] [-- CMD...]';
  static override strict = false;
  static override args = {
    task: Args.string({ required: true, ignoreStdin: true, description: 'The task.' }),
    process: Args.string({ ignoreStdin: true, description: 'The process to be beside.' }),
    command: {
      ...Args.string({ ignoreStdin: true, description: 'The command and its arguments.' }),
      label: '-- CMD',
      repeats: true,
      afterDashes: true,
    },
  };
  static override flags = {
    ...EXACT_FLAG,
    'no-namespaces': Flags.boolean({
      summary: "Stay in the caller's namespaces and root directory.",
    }),
  };

  async run(): Promise<number> {
    const dashes = this.argv.indexOf('--');
    const command = dashes === -1 ? [] : this.argv.slice(dashes + 1);
    const { raw, flags } = await this.parse(Exec);
    const words = raw.filter(({ type }) => type === 'arg').map(({ input }) => input);
    const [task, process, ...others] = words.slice(0, words.length - command.length);
    const fail = (message: string, hint?: string) => new UsageError('usage', message, hint);
    if (flags.json) throw fail('--json is not possible: the output is that of the command');
    if (task === undefined) throw fail('missing argument TASK');
    if (others.length > 0) throw fail(`unexpected argument '${others[0]}'`, 'a command comes after --');
    if (dashes !== -1 && command.length === 0)
      throw fail('no command comes after --', 'for a shell, leave -- out');
    const options = { roots: flags, task, process, namespaces: !flags['no-namespaces'] };
    return execCommand(options, command, this.terminal, {
      report: (problems) => this.report(problems),
      notice: (text) => this.notice(text),
    });
  }
}
