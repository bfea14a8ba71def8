import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { progressOn } from '../cli/progress.js';
import { parseCondition, waitUntil } from '../cli/wait.js';
import { EXIT_MEANINGS } from '../errors/exit-codes.js';
import { DURATION_HELP, parseDuration } from '../text/duration.js';

export default class Wait extends ThermosCommand {
  static override summary = 'Wait until a task is over, or a process is in a state.';
  static override description =
    `Ends as soon as the task has ended and its runner is done, with an exit code that says how it ended; at once for
a task that is over. With --for it ends when the processes named are in the states named, or have passed
through them since the waiting began.

A task whose runner died does not end by itself: this is said, and waited on, for another runner may take over.

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
    ok: 'The task ended SUCCESS, or what --for names has happened.',
    no: 'The task ended FAILED, there is no such task or process, or what --for names can not happen any more.',
    killed: EXIT_MEANINGS.killed,
    lost: EXIT_MEANINGS.lost,
    partial: 'The state of the task can not be read.',
    timeout: 'The time of --timeout is over.',
  };
  static override seeAlso = ['run', 'status', 'tail', 'kill'];

  static override args = {
    task: Args.string({ required: true, ignoreStdin: true, description: 'The task.' }),
  };

  static override flags = {
    for: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'process=NAME:STATE',
      summary: 'Wait for a process to be in a state, not for the end; may be repeated.',
    }),
    timeout: Flags.string({ helpValue: 'DURATION', summary: 'Wait no longer than this.' }),
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
    const answer = await waitUntil(args.task, flags, options).finally(() => progress.stop());
    if (typeof answer === 'number') return answer;
    this.answer(flags.json, answer.document, answer.text, answer.problems);
    return answer.exitCode;
  }
}

function waitingFor(task: string, conditions: readonly string[] | undefined): string {
  if (conditions === undefined) return `waiting for ${task} to end`;
  return `waiting for ${conditions.join(' and ')} of ${task}`;
}
