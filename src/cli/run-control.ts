import { readFileSync } from 'node:fs';
import { EXIT } from '../errors/exit-codes.js';
import type { KillRequest, Runner } from '../runner/api.js';
import { closeDebugger } from '../runner/debugger.js';

const EARLY: readonly [NodeJS.Signals, () => void][] = [
  ['SIGUSR1', () => process.exit(EXIT.killed)],
  ['SIGUSR2', () => process.exit(EXIT.lost)],
];

const FOREGROUND = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * To be called first of all by who is going to be a runner. Until the task is started, the signals that would end
 * it end the program; Node's own answer to SIGUSR1, a debugger that listens on a port, is not given any more.
 */
export function expectSignals(): void {
  for (const [signal, handler] of EARLY) process.on(signal, handler);
  if (closeDebugger()) process.exit(EXIT.killed);
}

/** To be called first of all by who shows a task. Signals come to the whole foreground: the runner decides what they mean. */
export function leaveSignalsToRunner(): void {
  for (const signal of FOREGROUND) process.on(signal, () => {});
}

/** Signals to the process are requests to end the task. */
export class RunControl {
  /** The exit code of the signal that a person sent first. */
  signalled: number | undefined;
  readonly #handlers: [NodeJS.Signals, () => void][];

  constructor(runner: Pick<Runner, 'kill' | 'taskId'>, notice: (text: string) => void) {
    const ask = (request: KillRequest) => runner.kill(request);
    const politely = (exitCode: number) => () => {
      if (this.signalled === undefined) {
        this.signalled = exitCode;
        notice(`ending ${runner.taskId}; once more ends it at once, without its final processes`);
        ask({ state: 'KILLED' });
      } else {
        ask({ state: 'KILLED', now: true });
      }
    };
    this.#handlers = [
      ['SIGINT', politely(EXIT.interrupted)],
      ['SIGTERM', politely(EXIT.terminated)],
      ['SIGUSR1', () => ask({ state: 'KILLED' })],
      ['SIGUSR2', () => ask({ state: 'LOST', wait: 0 })],
    ];
    if (!isIgnored('SIGHUP')) this.#handlers.push(['SIGHUP', politely(EXIT.terminated)]);
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
    for (const [signal, handler] of EARLY) process.off(signal, handler);
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
    // A debugger must not be opened by a signal that comes late.
    process.on('SIGUSR1', () => {});
    process.on('SIGUSR2', () => {});
  }
}

/** SIGHUP under nohup(1). */
function isIgnored(signal: 'SIGHUP'): boolean {
  const number = { SIGHUP: 1n }[signal];
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return ((BigInt(`0x${ignored ?? '0'}`) >> (number - 1n)) & 1n) === 1n;
  } catch {
    return false;
  }
}
