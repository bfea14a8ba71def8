import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import { SELECTION_FLAGS } from '../cli/status-flags.js';
import { showUi } from '../cli/ui.js';
import { DURATION_HELP } from '../text/duration.js';

export default class Ui extends ThermosCommand {
  static override summary = 'Show the tasks, their processes and logs on one screen with keys.';
  static override description =
    `The first list has the tasks as status --watch shows them. Enter shows the processes of the selected task and all their
runs; Enter there shows the log of the selected run as it grows. Esc leads back, q quits, with exit code 0 whatever was
shown, ? lists all keys.

For the selected task, w says why it is in its state, k ends it after a question, e opens a shell beside a process, i
inspects it, r writes its page, and t shows what tasks use. In each list, / filters and s sorts; in a log, f follows its
end and s chooses the stream. The mouse wheel scrolls; with Shift, the mouse selects text as usual.

With --agent, the tasks are those of Mesos agents: k, e and r work only on the host itself.

TASK is a word as for status. Without TASK, all tasks are shown. It needs a terminal: elsewhere use status, tail or
top --once.

${DURATION_HELP}`;
  static override examples = [
    '<%= config.bin %> ui',
    '<%= config.bin %> ui --only active www-data/prod',
    '<%= config.bin %> ui --failed --since 2h',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'None of the words matches a task.',
    usage: 'The command line is wrong, or there is no terminal.',
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override seeAlso = ['status', 'top', 'inspect', 'tail'];

  static override args = {
    task: Args.string({ multiple: true, ignoreStdin: true, description: 'Tasks to show.' }),
  };

  static override flags = {
    interval: Flags.string({
      default: '2s',
      helpValue: 'DURATION',
      summary: 'How often the tasks are looked at.',
    }),
    ...SELECTION_FLAGS,
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Ui);
    return showUi(args.task ?? [], flags, this.terminal);
  }
}
