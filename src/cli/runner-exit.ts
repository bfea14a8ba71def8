import { ConfigError } from '../config/program.js';
import type { ProblemCode } from '../errors/codes.js';
import { ThermosError } from '../errors/errors.js';
import { EXIT, RUNNER_EXIT } from '../errors/exit-codes.js';

/** The task itself is wrong, on every host. */
const WRONG_TASKS: readonly ProblemCode[] = ['task-invalid', 'task-differs', 'task-id-invalid'];

/** The config is not wrong; this host cannot read it. */
const UNREAD: readonly ProblemCode[] = ['config-missing', 'config-unreadable'];

/**
 * The exit code by which an executor understands why its runner ended: FAILED for what is wrong with the task, LOST, to be
 * tried elsewhere, for what is wrong here. Pure.
 */
export function runnerExitOf(error: unknown): number {
  if (!(error instanceof ThermosError)) return RUNNER_EXIT.unknown;
  const { code } = error;
  if (code === 'usage') return EXIT.usage;
  // As the original: the state in the stream says how it ended.
  if (code === 'task-finished') return RUNNER_EXIT.over;
  if (code === 'user-unknown') return RUNNER_EXIT.unknownUser;
  if (code === 'task-running') return RUNNER_EXIT.unknown;
  if (isUnbound(error) || UNREAD.includes(code)) return RUNNER_EXIT.internal;
  const isInvalid = error instanceof ConfigError || WRONG_TASKS.includes(code);
  return isInvalid ? RUNNER_EXIT.invalidTask : RUNNER_EXIT.internal;
}

/** Only ports are missing. */
function isUnbound({ code, problems }: ThermosError): boolean {
  const errors = problems.filter(({ severity }) => severity === 'error').map((problem) => problem.code);
  const all = code === 'config-invalid' ? errors : [code, ...errors];
  return all.length > 0 && all.every((each) => each === 'port-unbound');
}
