import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { exitBySignal } from '../errors/exit-codes.js';
import { isForThisMachine } from '../host/executable.js';

/** The init of the package, in C; the build puts this file into the same folder. */
const INIT = join(__dirname, 'coordinator');

/** Those that people and supervisors send, and those of a terminal. */
const FORWARDED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
] as const;

/**
 * Runs the program with these arguments again, as the child of an init that reaps what Node cannot, forwards signals to
 * it, and ends as it does. Resolves to false if there is no init here. (`bin/run.js` lets it take our place; that is not
 * possible if somebody starts Node.)
 */
export async function runBelowInit(argv: readonly string[]): Promise<boolean> {
  delete process.env.THERMOS_INIT;
  if (!isForThisMachine(INIT)) return false;
  const program = [process.execPath, ...process.execArgv, process.argv[1] as string, ...argv];
  let started: ChildProcess | undefined;
  const forward = (signal: NodeJS.Signals) => void started?.kill(signal);
  // Before the start: a signal that comes as soon as the child is seen would end us, and leave it alone.
  for (const signal of FORWARDED) process.on(signal, forward);
  const child = spawn(INIT, ['--init', ...program], { stdio: 'inherit' });
  started = child;
  const isStarted = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  if (!isStarted) for (const signal of FORWARDED) process.off(signal, forward);
  child.once('exit', (code, signal) =>
    process.exit(code ?? exitBySignal(constants.signals[signal as NodeJS.Signals])),
  );
  return isStarted;
}
