import type { SpawnSyncReturns, StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { isShortage } from '../errors/shortage.js';

/** How often a program is run in total if signals end it. */
const TRIES = 10;

/** What Node opens for a program that it waits for: it crashes if that fails. */
const DESCRIPTORS = 12;

/** Tools finish in milliseconds, but a remote user database may not answer. */
const MOST_MS = 30_000;

/**
 * Runs a small program of the system to its end. It is run again if a signal ends it: Ctrl-C, or a signal to the whole
 * process group, is meant for us, and we handle it after the current step. After the timeout, the error of the result is
 * ETIMEDOUT. Throws the system error if the machine is short of what it needs: it would be wrong to take that for an
 * answer of the program.
 */
export function runTool(
  program: string,
  args: readonly string[],
  stdio: StdioOptions = ['ignore', 'pipe', 'pipe'],
  timeoutMs = MOST_MS,
): SpawnSyncReturns<string> {
  // Loaded when used: it loads all of `net` and `dgram`, which takes longer than a small `status`.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  for (let tries = 1; ; tries++) {
    requireDescriptors();
    const result = spawnSync(program, args, {
      stdio,
      encoding: 'utf8',
      timeout: Math.ceil(Math.min(timeoutMs, MOST_MS)),
      killSignal: 'SIGKILL',
    });
    if (isShortage(result.error)) throw result.error;
    if (result.signal === null || result.error !== undefined || tries === TRIES) return result;
  }
}

/** Throws the system error if there are no descriptors for a small task. */
export function requireDescriptors(): void {
  const opened: number[] = [];
  try {
    while (opened.length < DESCRIPTORS) opened.push(openSync('/dev/null', 'r'));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
