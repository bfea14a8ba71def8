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

/** What the daemon says to who started it, in JSON. */
type Said = { started: StartedTask } | { error: SaidError };

/** Why a task was not started. */
export interface SaidError {
  code: ProblemCode;
  message: string;
  hint?: string;
  exitCode: ExitCode;
  problems?: readonly Problem[];
}

/** A process that was started to be a daemon: it has a session of its own, and none of our descriptors. */
export interface DaemonProcess {
  /** What it says, until it says no more. */
  readonly said: AsyncIterable<unknown>;
  readonly gone: Promise<void>;
  signal(signal: 'SIGTERM' | 'SIGUSR2'): void;
  /** We may end before it. */
  leave(): void;
}

export interface StartPorts {
  readonly control: TakeControl;
  readonly progress: Progress;
  /** Starts a process that calls `beDaemon` with the spec. */
  spawn(spec: RunSpec): DaemonProcess;
  /** Is told what is done about signals. */
  notice(text: string): void;
}

/**
 * Starts a daemon that runs the task, and resolves once that has started. Rejects with what its runner threw before.
 * Whoever asks for the end meanwhile ends the task, as in the foreground: ThermosError `interrupted`.
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
    for await (const chunk of daemon.said) text += String(chunk);
    // Not before it is over: who asked for its end may go on to remove what it has.
    if (asked !== undefined) await daemon.gone;
  } finally {
    ports.progress.stop();
    control.close();
  }
  daemon.leave();
  if (asked !== undefined) throw interrupted(control.signalled ?? asked.state);
  if (text === '') throw new SystemError('runner-died', 'the runner died before the task was started');
  const said = JSON.parse(text) as Said;
  if ('started' in said) return said.started;
  const { code, message, ...options } = said.error;
  throw new ThermosError(code, message, options);
}

function interrupted(how: ExitCode | KillRequest['state']): ThermosError {
  const exitCode = typeof how === 'number' ? how : how === 'LOST' ? EXIT.lost : EXIT.killed;
  return new ThermosError('interrupted', 'the task was ended before it was left to itself', { exitCode });
}

export interface DaemonPorts extends BeginPorts {
  /** Gives the answer to who started us. Throws if that has gone. */
  say(text: string): void;
  failureOf(error: unknown): SaidError;
}

/** Runs a task to its end as the daemon itself. */
export async function beDaemon(spec: RunSpec, { say, ...ports }: DaemonPorts): Promise<void> {
  const isHeard = (said: Said) => {
    try {
      say(JSON.stringify(said));
      return true;
    } catch {
      return false;
    }
  };
  let begun: Begun;
  try {
    begun = await begin(spec, ports, () => {});
  } catch (error) {
    isHeard({ error: ports.failureOf(error) });
    return;
  }
  const { runner, outcome } = begun;
  let failure: unknown;
  const over = outcome.catch((error) => {
    failure = error;
  });
  // What goes wrong with the first records goes wrong before anybody was told that it was started.
  await new Promise((resolve) => setImmediate(resolve));
  const { root, taskId: task_id, sandbox } = runner;
  if (failure !== undefined) isHeard({ error: ports.failureOf(failure) });
  // A task that nobody knows to have started must not run on.
  else if (!isHeard({ started: { task_id, root, sandbox, runner: { pid: process.pid } } }))
    runner.kill({ state: 'KILLED' });
  await over;
}
