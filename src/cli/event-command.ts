import { type ChildProcess, spawn } from 'node:child_process';
import { encodeEvent } from '../contracts/encode-event.js';
import { describeErrno, errnoOf } from '../errors/errors.js';
import type { TaskTransition } from '../task/transition-watch.js';
import { visible } from '../text/escape.js';
import { jsonText } from '../text/json.js';

/** The variables of an event, for help. One that an event does not have is not set. */
export const EVENT_ENVIRONMENT = {
  THERMOS_EVENT: 'Set for the command of --exec: the event, as --json prints it.',
  THERMOS_TIME_MS: 'The same for its fields: when it happened, milliseconds since 1970.',
  THERMOS_TASK_ID: 'The task.',
  THERMOS_TYPE: 'task or process.',
  THERMOS_STATE: 'The state now.',
  THERMOS_WAS: 'The state before.',
  THERMOS_PROCESS: 'The process.',
  THERMOS_RUN: 'The number of its run.',
  THERMOS_RETURN_CODE: 'Its exit status, or minus the number of the signal that ended it.',
  THERMOS_PID: 'Its pid.',
  THERMOS_AGENT: 'With --agent: the address of the agent that has the task.',
} as const;

/** How long a command may take to end after SIGTERM. Milliseconds. */
const GRACE_MS = 2000;

/**
 * A shell command that is run for events, one after the other. What an event holds, which anybody may have written, is in
 * its environment only, and never in the text of the command.
 */
export class EventCommand {
  readonly #line: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #warn: (text: string) => void;
  #running: { child: ChildProcess; ended: Promise<void> } | undefined;

  constructor(line: string, env: NodeJS.ProcessEnv, warn: (text: string) => void) {
    this.#line = line;
    this.#env = env;
    this.#warn = warn;
  }

  /** Resolves when the command has ended; a failure is a warning. */
  async run(transition: TaskTransition): Promise<void> {
    const failed = (how: string) => this.#warn(`--exec ${how}, for ${nameOf(transition)}`);
    let child: ChildProcess;
    try {
      // stdout has only events. A session of its own: all that it starts can be ended with it.
      child = spawn('/bin/sh', ['-c', this.#line], {
        stdio: ['ignore', 2, 2],
        detached: true,
        env: { ...this.#env, ...variablesOf(transition) },
      });
    } catch (error) {
      failed(`cannot be run: ${describeErrno(error)}`);
      return;
    }
    const ended = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        failed(`cannot be run: ${describeErrno(error)}`);
        resolve();
      });
      child.once('exit', (code, signal) => {
        if (signal !== null) failed(`was ended by ${signal}`);
        else if (code !== 0) failed(`ended with exit code ${code}`);
        resolve();
      });
    });
    this.#running = { child, ended };
    await ended;
    this.#running = undefined;
  }

  /** Ends the command that runs, and what it started. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    const { child, ended } = this.#running;
    child.removeAllListeners('exit');
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    signalGroup(child, 'SIGTERM');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GRACE_MS);
    });
    await Promise.race([gone, ended, late]);
    clearTimeout(timer);
    signalGroup(child, 'SIGKILL');
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error;
  }
}

/**
 * All of them, so that none is inherited. `THERMOS_ROOT` is that of the task: thermos in the command finds it there, if it
 * is on this host.
 */
function variablesOf(transition: TaskTransition): NodeJS.ProcessEnv {
  const event = encodeEvent(transition);
  const text = (value: string | number | undefined) =>
    // No variable can hold it, but a name in a stream may.
    value === undefined ? undefined : String(value).replaceAll('\0', visible('\0'));
  return {
    THERMOS_EVENT: jsonText(event),
    THERMOS_TIME_MS: text(event.time_ms),
    THERMOS_TASK_ID: text(event.task_id),
    THERMOS_ROOT: event.agent === undefined ? text(event.root) : undefined,
    THERMOS_MESOS_ROOT: undefined,
    THERMOS_TYPE: text(event.type),
    THERMOS_STATE: text(event.state),
    THERMOS_WAS: text(event.was),
    THERMOS_PROCESS: text(event.process),
    THERMOS_RUN: text(event.run),
    THERMOS_RETURN_CODE: text(event.return_code),
    THERMOS_PID: text(event.pid),
    THERMOS_AGENT: text(event.agent?.url),
  };
}

/** `web 0 of TASK: FAILED`, not escaped yet. */
function nameOf({ process, run, task_id, state }: TaskTransition): string {
  return process === undefined ? `${task_id}: ${state}` : `${process} ${run} of ${task_id}: ${state}`;
}
