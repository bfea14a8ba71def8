import * as Args from '@oclif/core/args';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { PAGER_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { CONFIG_FLAGS } from '../cli/config-flags.js';
import { diffTargets } from '../cli/diff.js';

export default class Diff extends ThermosCommand {
  static override summary = 'Show what differs between two tasks: their config, their outcome, their times.';
  static override description =
    `Compares two tasks on disk, from the first to the second: the settings of the task and of each process, with
their command lines, and the order; how the task and each process ended; and how long they took. For a process with
several runs, that is the time of all of them. As with diff, the exit code is 1 if config or outcome differ; times
always do, and do not count.

If one of them is a config (.thermos, .aurora, or a task in JSON), only configs are compared: with a task on disk, it
shows what a run of that task would change now, with the same id, user and ports.

TARGET and OTHER are each a task id, a path (a sandbox, a task root, a task file), or a pattern, part of the id or job's key
(ROLE/ENV/JOB/INSTANCE) that matches one task; otherwise it is a config.`;
  static override examples = [
    '<%= config.bin %> diff www-data-prod-web-0 www-data-prod-web-1',
    '<%= config.bin %> diff etl-20261120 etl-20261121 --json | jq -c ".durations[] | select(.factor > 2)"',
    '<%= config.bin %> diff www-data-prod-web-0 web.thermos --environment profile.version=1.2',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    ok: 'Config and outcome are the same.',
    no: 'They differ, or no task matches.',
    usage: 'The command line is wrong, TARGET or OTHER matches several tasks, or the config gives no task.',
    partial: 'Done in part: something could not be read, and no difference was found in the rest.',
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT, ...PAGER_ENVIRONMENT };
  static override seeAlso = ['inspect', 'status', 'read'];
  static override completes: CompletionKinds = { only: 'config-process', from: 'config-process' };

  static override args = {
    target: Args.string({ required: true, ignoreStdin: true, description: 'A task, or a config.' }),
    other: Args.string({ required: true, ignoreStdin: true, description: 'What it is compared with.' }),
  };
  static override flags = { ...CONFIG_FLAGS, ...AGENT_FLAGS };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Diff);
    const words = [args.target, args.other] as const;
    const { document, text, problems, exitCode } = await diffTargets(words, flags, this.terminal);
    return this.pagedAnswer(flags, document, text, problems, exitCode);
  }
}
