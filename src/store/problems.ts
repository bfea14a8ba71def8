import type { ProblemCode } from '../errors/codes.js';
import { describeErrno } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isDenied } from './denied.js';
import { RefusedError } from './refused.js';

/** What could not be read. */
export interface Unreadable {
  readonly code: ProblemCode;
  /** What was tried, with the path: `list /var/run/thermos`. */
  readonly tried: string;
  /** What it is, for a refusal by the store, whose message has the path and the reason: `the checkpoint`. */
  readonly what?: string;
  readonly error: unknown;
  /** Default: error. */
  readonly severity?: Problem['severity'];
  /** What to try if the system refused. Default: sudo, unless we are root. */
  readonly hint?: string;
  readonly path?: string;
  readonly task_id?: string;
}

/** An error for a refusal by the system of which nothing else is known. */
export const PERMISSION_DENIED: unknown = Object.assign(new Error('permission denied'), { code: 'EACCES' });

/** The problem of something that cannot be read, with a hint if a more privileged user could read it. */
export function unreadable({
  code,
  tried,
  what,
  error,
  severity = 'error',
  hint,
  ...rest
}: Unreadable): Problem {
  const message =
    what !== undefined && error instanceof RefusedError
      ? `${what} is not read: ${error.message}`
      : `cannot ${tried}: ${describeErrno(error)}`;
  return { code, severity, message, ...rest, hint: isDenied(error) ? (hint ?? sudoHint()) : undefined };
}

/** There is no hint for root. */
function sudoHint(): string | undefined {
  return process.geteuid?.() === 0 ? undefined : 'run it again with sudo';
}

/** The problem of a directory of which only the first entries were read. */
export function tooManyEntries(path: string, most: number): Problem {
  return {
    code: 'directory-too-large',
    severity: 'error',
    message: `${path} has more than ${most} entries: only ${most} of them were read`,
    path,
    hint: 'remove what does not belong there',
  };
}
