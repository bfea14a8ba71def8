import type { RunDaemonDocument } from '../contracts/run.js';
import type { ProblemCode } from '../errors/codes.js';
import { SystemError, ThermosError } from '../errors/errors.js';
import { EXIT, type ExitCode } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { KillRequest } from '../runner/api.js';
import type { Progress } from './progress.js';
import { type BeginPorts, type Begun, begin, type TakeControl } from './run.js';
import type { RunSpec } from './run-spec.js';

/** A task that runs in the background. */
export type StartedTask = Omit<RunDaemonDocument, 'problems'>;

/** What the daemon sends to its starter, as JSON. */
type DaemonMessage = { started: StartedTask } | { error: StartError };

/** Why a task was not started. */
export interface StartError {
  code: ProblemCode;
  message: string;
  hint?: string;
  exitCode: ExitCode;
  problems?: readonly Problem[];
}

/** A process that was started as a daemon: it has its own session, and none of our descriptors. */
export interface DaemonProcess {
  /** Its answer, until it closes the descriptor. */
  readonly answer: AsyncIterable<unknown>;
  readonly gone: Promise<void>;
  signal(signal: 'SIGTERM' | 'SIGUSR2'): void;
  /** Lets this process end before the daemon. */
  leave(): void;
}

export interface StartPorts {
  readonly control: TakeControl;
  readonly progress: Progress;
  /** Starts a process that calls `beDaemon` with the spec. */
  spawn(spec: RunSpec): DaemonProcess;
  /** Takes messages about what a signal does. */
  notice(text: string): void;
}

/**
 * Starts a daemon that runs the task, and resolves when the task has started. Rejects with what its runner threw before
 * that. A request to end the task meanwhile ends it, as in the foreground: ThermosError `interrupted`.
 */
export async function startDaemon(spec: RunSpec, ports: StartPorts): Promise<StartedTask> {
  let asked: KillRequest | undefined;
  const { taskId } = spec.task;
  const control = ports.control((text) => ports.notice(text));
  const daemon = ports.spawn(spec);
  control.attach({
    taskId,
    kill(request) {
      asked ??= request;
      daemon.signal(request.state === 'LOST' ? 'SIGUSR2' : 'SIGTERM');
    },
  });
  let text = '';
  ports.progress.start(`waiting for the runner of ${taskId} to start`);
  try {
    for await (const chunk of daemon.answer) text += String(chunk);
    // Not before the task is over: the caller may go on to remove its files.
    if (asked !== undefined) await daemon.gone;
  } finally {
    ports.progress.stop();
    control.close();
  }
  daemon.leave();
  if (asked !== undefined) throw interrupted(control.signalled ?? asked.state);
  if (text === '') throw new SystemError('runner-died', 'the runner died before the task was started');
  const message = JSON.parse(text) as DaemonMessage;
  if ('started' in message) return message.started;
  const { code, message: why, ...options } = message.error;
  throw new ThermosError(code, why, options);
}

function interrupted(how: ExitCode | KillRequest['state']): ThermosError {
  const exitCode = typeof how === 'number' ? how : how === 'LOST' ? EXIT.lost : EXIT.killed;
  return new ThermosError('interrupted', 'the task was ended before it went on in the background', {
    exitCode,
  });
}

export interface DaemonPorts extends BeginPorts {
  /** Sends the answer to our starter. Throws if it has gone. */
  answer(text: string): void;
  failureOf(error: unknown): StartError;
}

/** Runs a task to its end as the daemon itself. */
export async function beDaemon(spec: RunSpec, { answer, ...ports }: DaemonPorts): Promise<void> {
  const isSent = (message: DaemonMessage) => {
    try {
      answer(JSON.stringify(message));
      return true;
    } catch {
      return false;
    }
  };
  let begun: Begun;
  try {
    begun = await begin(spec, ports, () => {});
  } catch (error) {
    isSent({ error: ports.failureOf(error) });
    return;
  }
  const { runner, outcome, endReport } = begun;
  let failure: unknown;
  const over = outcome.catch((error) => {
    failure = error;
  });
  // A failure of the first records is reported before the start is.
  await new Promise((resolve) => setImmediate(resolve));
  const { root, taskId: task_id, sandbox } = runner;
  if (failure !== undefined) isSent({ error: ports.failureOf(failure) });
  // A task whose start could not be reported must not go on.
  else if (!isSent({ started: { task_id, root, sandbox, runner: { pid: process.pid } } }))
    runner.kill({ state: 'KILLED' });
  await over;
  if (failure === undefined) await endReport();
}
