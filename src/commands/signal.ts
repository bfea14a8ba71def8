import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { localTasks } from '../app/local-tasks.js';
import { signalProcess } from '../app/signal.js';
import { ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { confirmationOn } from '../cli/confirm.js';
import { EXACT_FLAG } from '../cli/exact-flag.js';
import { signalNumber } from '../cli/signal-name.js';
import type { SignalDocument } from '../contracts/run.js';
import { signalWord } from '../text/signals.js';
import { killListText } from '../views/kill.js';
import { signalText } from '../views/signal.js';

export default class Signal extends ThermosCommand {
  static override summary = 'Send a signal to a process of a task.';
  static override description =
    `Sends SIGNAL to the main process of a run, the one whose pid status and inspect show, if it is certainly the
task's: pid, start, user and pid namespace are checked as by kill, and only files that root or the user of the task
wrote are believed. It is a shell if the command line has several commands: 'exec' before the last one gives its
program the signals. With --all, everything that this process has started gets the signal too, except its coordinator,
which records how it ends.

SIGNAL is a name with or without SIG (HUP, sigusr1, RTMIN+3) or a number. If the process ends because of it, the task
goes on as its settings say: killed by a signal, it is KILLED and runs again without counting a failure; if it exits
by itself with a code other than 0, it has FAILED; with 0 it is done. To have it run again whatever it does, use
restart.

TASK is a task id, a regular expression or glob for the whole id of one task, or a path. If a pattern names the task,
you are asked before the process is signalled.`;
  static override examples = [
    '<%= config.bin %> signal www-data-prod-web-0 nginx HUP',
    '<%= config.bin %> signal www-data-prod-web-0 java QUIT',
    '<%= config.bin %> signal --all www-data-prod-web-0 nginx USR1',
    '<%= config.bin %> signal --json www-data-prod-web-0 nginx 10 | jq .signalled',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    ok: 'The process was sent the signal.',
    no: 'There is no such task or process, the process is not running, or you answered no.',
    usage: 'The command line is wrong, TASK matches several tasks, or its files are not trusted.',
    partial:
      'The process, or with --all one of its processes, could not be sent the signal; stderr says why.',
  };
  static override seeAlso = ['restart', 'kill', 'status', 'inspect'];

  static override completes: CompletionKinds = { task: 'active-task', process: 'running-process' };

  static override args = {
    task: Args.string({ required: true, ignoreStdin: true, description: 'The task.' }),
    process: Args.string({ required: true, ignoreStdin: true, description: 'Its process.' }),
    signal: Args.string({ required: true, ignoreStdin: true, description: 'The signal.' }),
  };

  static override flags = {
    ...EXACT_FLAG,
    all: Flags.boolean({ summary: 'Send it also to everything that the process has started.' }),
    yes: Flags.boolean({ char: 'y', aliases: ['force'], summary: 'Do not ask; --force means the same.' }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Signal);
    const number = signalNumber(args.signal);
    const signal = signalWord(number);
    const { all, yes } = flags;
    const { task, process } = args;
    const { source } = localTasks(flags);
    const { problems, ...sent } = await signalProcess(
      { roots: flags, task, process, yes, all, signal: number, signalWord: signal },
      { confirmation: confirmationOn(this.terminal, killListText), look: (found) => source(found).read() },
    );
    const document: SignalDocument = {
      ...sent,
      signal,
      number,
      signalled: [...sent.signalled],
      problems: [...problems],
    };
    return this.answer(flags.json, document, () => signalText(document), problems);
  }
}
