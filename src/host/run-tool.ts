import { type SpawnSyncReturns, type StdioOptions, spawnSync } from 'node:child_process';

/** How often a program is started again that a signal ended. */
const TRIES = 10;

/** They are done in milliseconds, but a user database of another machine may not answer. */
const MOST_MS = 30_000;

/**
 * Runs a small program of the system to its end. It is run again if a signal ends it: Ctrl-C and whoever ends a whole
 * group mean us, and we answer when we are done with what we are at. It is not waited for for ever: then the error of the
 * result is ETIMEDOUT.
 */
export function runTool(
  program: string,
  args: readonly string[],
  stdio: StdioOptions = ['ignore', 'pipe', 'pipe'],
  timeoutMs = MOST_MS,
): SpawnSyncReturns<string> {
  for (let tries = 1; ; tries++) {
    const result = spawnSync(program, args, {
      stdio,
      encoding: 'utf8',
      timeout: Math.ceil(Math.min(timeoutMs, MOST_MS)),
      killSignal: 'SIGKILL',
    });
    if (result.signal === null || result.error !== undefined || tries === TRIES) return result;
  }
}
