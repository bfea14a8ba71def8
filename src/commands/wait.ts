import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { progressOn } from '../cli/progress.js';
import { parseCondition, waitUntil } from '../cli/wait.js';
import { EXIT_MEANINGS } from '../errors/exit-codes.js';
import { DURATION_HELP, parseDuration } from '../text/duration.js';

export default class Wait extends ThermosCommand {
  static override summary = 'Wait until a task is over, or until a process is in a given state.';
  static override description =
    `Waits until the task is over and its runner is done; the exit code says how the task ended. If the task is over
already, wait ends at once. With --for, it ends when the named processes are in the named states, or have passed
through them since the wait began.

A task whose runner died does not end by itself. This is reported, and the wait goes on, because another runner may
take over.

TASK is a task id, a regular expression or glob for the whole id of one task, or a path: a sandbox, a task
root, a task file.

${DURATION_HELP}`;
  static override examples = [
    '<%= config.bin %> wait www-data-prod-web-0',
    '<%= config.bin %> wait --timeout 90s --for process=web:RUNNING www-data-prod-web-0',
    '<%= config.bin %> wait --json www-data-prod-web-0 | jq -r .task.state',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    ok: 'The task ended SUCCESS, or the condition of --for is met.',
    no: 'The task ended FAILED, there is no such task or process, or the condition of --for can no longer be met.',
    killed: EXIT_MEANINGS.killed,
    lost: EXIT_MEANINGS.lost,
    partial: 'The state of the task cannot be read.',
    timeout: 'The time given with --timeout has passed.',
  };
  static override seeAlso = ['run', 'status', 'tail', 'kill'];

  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override completes: CompletionKinds = { for: 'condition' };

  static override args = {
    task: Args.string({ required: true, ignoreStdin: true, description: 'The task.' }),
  };

  static override flags = {
    for: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'process=NAME:STATE',
      summary: 'Wait until a process is in this state, not for the end of the task; may be repeated.',
    }),
    timeout: Flags.string({ helpValue: 'DURATION', summary: 'Wait no longer than this.' }),
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Wait);
    const options = {
      conditions: (flags.for ?? []).map(parseCondition),
      timeout: flags.timeout === undefined ? undefined : parseDuration(flags.timeout, 'timeout'),
      notice: (text: string) => this.notice(text),
    };
    const progress = progressOn(this.terminal, flags);
    progress.start(waitingFor(args.task, flags.for));
    const answer = await waitUntil(args.task, flags, options, this.terminal).finally(() => progress.stop());
    if (typeof answer === 'number') return answer;
    this.answer(flags.json, answer.document, answer.text, answer.problems);
    return answer.exitCode;
  }
}

function waitingFor(task: string, conditions: readonly string[] | undefined): string {
  if (conditions === undefined) return `waiting for ${task} to end`;
  return `waiting for ${conditions.join(' and ')} of ${task}`;
}
