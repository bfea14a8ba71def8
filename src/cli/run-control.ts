import { constants } from 'node:os';
import type { Control, Endable } from '../app/run.js';
import { EXIT, type ExitCode, exitBySignal } from '../errors/exit-codes.js';
import { onSignal } from '../host/ignored-signals.js';
import type { KillRequest } from '../runner/api.js';

/** What ends any other process does nothing to the first one of a container, unless it does it by itself. */
const DEADLY: readonly [NodeJS.Signals, () => void][] = [
  ['SIGINT', () => process.exit(EXIT.interrupted)],
  ['SIGTERM', () => process.exit(EXIT.terminated)],
  ['SIGHUP', () => process.exit(EXIT.terminated)],
];

const EARLY: readonly [NodeJS.Signals, () => void][] = [
  ['SIGUSR1', () => process.exit(EXIT.killed)],
  ['SIGUSR2', () => process.exit(EXIT.lost)],
  ...(process.pid === 1 ? DEADLY : []),
];

const FOREGROUND = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * To be called first by a program that becomes a runner. Until the task is started, the signals that would end
 * the task end the program.
 */
export function expectSignals(): void {
  // It ends a runner also while its task runs.
  if (process.pid === 1) onSignal('SIGQUIT', () => process.exit(exitBySignal(constants.signals.SIGQUIT)));
  for (const [signal, handler] of EARLY) onSignal(signal, handler);
}

/** For a program that shows or starts a task. Signals go to the whole foreground, and the runner decides what they mean. */
export function leaveSignalsToRunner(): void {
  for (const signal of FOREGROUND) process.on(signal, () => {});
}

/**
 * Once constructed, it treats signals to the process as requests to end a task. The caller attaches the task in the same
 * turn of the event loop, or closes it, so that a signal that arrives while the task is opened is handled afterwards.
 */
export class RunControl implements Control {
  /** The exit code of the signal that a person sent first. */
  signalled: ExitCode | undefined;
  #task: Endable | undefined;
  readonly #handlers: [NodeJS.Signals, () => void][];

  constructor(notice: (text: string) => void) {
    const ask = (request: KillRequest) => this.#task?.kill(request);
    const politely = (exitCode: ExitCode, what: string) => () => {
      if (this.signalled === undefined) {
        this.signalled = exitCode;
        notice(`ending ${this.#task?.taskId}; a second signal ends it at once, without its final processes`);
        ask({ state: 'KILLED', asked: { what } });
      } else {
        ask({ state: 'KILLED', now: true, asked: { what: `${what}, again` } });
      }
    };
    this.#handlers = [
      ['SIGINT', politely(EXIT.interrupted, 'SIGINT (Ctrl-C)')],
      ['SIGTERM', politely(EXIT.terminated, 'SIGTERM')],
      ['SIGHUP', politely(EXIT.terminated, 'SIGHUP (its terminal is gone)')],
      ['SIGUSR1', () => ask({ state: 'KILLED', asked: { what: 'SIGUSR1' } })],
      ['SIGUSR2', () => ask({ state: 'LOST', wait: 0, asked: { what: 'SIGUSR2' } })],
    ];
    for (const [signal, handler] of this.#handlers) onSignal(signal, handler);
    for (const [signal, handler] of EARLY) process.off(signal, handler);
  }

  attach(task: Endable): void {
    this.#task = task;
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
    // A late signal must not start the debugger.
    process.on('SIGUSR1', () => {});
    process.on('SIGUSR2', () => {});
  }
}
