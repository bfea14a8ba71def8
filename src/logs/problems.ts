import type { Problem } from '../errors/problem.js';
import { PERMISSION_DENIED, unreadable } from '../store/problems.js';
import { RefusedError } from '../store/refused.js';

/** The problem of a process whose name can't be joined to a path. */
export function unsafeName(process: string): Problem {
  return {
    code: 'log-name-refused',
    severity: 'error',
    message: `the process name ${JSON.stringify(process)} leads out of the log directory: its logs are not read`,
    process,
  };
}

/** The problem of logs that may not be read: one for all of them. */
export function closedLogs(task_id: string, path: string): Problem {
  return unreadable({
    code: 'log-unreadable',
    tried: `read the logs of ${task_id} in ${path}`,
    error: PERMISSION_DENIED,
    path,
    task_id,
    hint: readAs('them'),
  });
}

/** The problem of a log that can't be read, or of whatever `what` names. */
export function unreadableLog(path: string, error: unknown, what = 'the log'): Problem {
  return unreadable({
    code: error instanceof RefusedError ? REFUSALS[error.code] : 'log-unreadable',
    tried: `read ${path}`,
    what,
    error,
    path,
    hint: readAs('it'),
  });
}

const REFUSALS = {
  ENOTREG: 'log-not-a-file',
  ELINK: 'log-link-refused',
  EFBIG: 'log-too-large',
  ENOTREADER: 'log-untrusted',
} as const;

/** Logs belong to the task's user, even if others may see the task. */
function readAs(what: 'it' | 'them'): string {
  return `read ${what} as root or as the task's user, for example with sudo`;
}

/** A sparse file can be as large as the file system allows, beyond any offset that can be read. */
export function tooLarge(path: string, size: number | bigint): Problem {
  return {
    code: 'log-too-large',
    severity: 'error',
    message: `${path} has a size of ${BigInt(size)} bytes, which is too large for a log: it is not read`,
    path,
  };
}
