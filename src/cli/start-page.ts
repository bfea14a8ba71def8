import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { PageProcess, RunPage } from '../app/run-report.js';
import { describeErrno } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { NO_DEBUGGER } from '../runner/debugger.js';
import { MAIN } from './programs.js';
import type { PageToWrite } from './write-page.js';

/** A message is a line; what is longer is not one. */
const MOST_FAILURE = 2000;

/** Starts the process that writes the page of a task once. It has its own session, so that Ctrl-C does not end it. */
export function startPage(page: RunPage, last: boolean): PageProcess {
  const words = [NO_DEBUGGER, MAIN, '__write-page', JSON.stringify({ ...page, last } satisfies PageToWrite)];
  const child = spawn(process.execPath, words, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < MOST_FAILURE) said += text;
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(describeErrno(error)));
    child.once('close', (code, signal) => {
      const [line = ''] = said.split('\n');
      resolve(code === EXIT.ok ? undefined : line.replace(/^error: /, '') || `exit ${code ?? signal}`);
    });
  });
  return {
    ended,
    hurry() {
      try {
        if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_NORMAL);
      } catch {
        // Only root may do this; or it has ended.
      }
    },
    leave() {
      child.stderr?.destroy();
      child.unref();
    },
  };
}
