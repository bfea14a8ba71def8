import type { ProblemCode } from './codes.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Problem } from './problem.js';

/**
 * A failure that ends the command. `code` is stable and appears in `{"error":{"code"}}`; `exitCode` is one
 * of the codes in `exit-codes.ts`; `hint` says what to try.
 */
export class ThermosError extends Error {
  readonly code: ProblemCode;
  readonly exitCode: ExitCode;
  hint?: string;
  /** What else was noticed before the failure; shown on stderr. */
  readonly problems: readonly Problem[];

  constructor(
    code: ProblemCode,
    message: string,
    options: { exitCode: ExitCode; hint?: string; problems?: readonly Problem[]; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.exitCode = options.exitCode;
    this.hint = options.hint;
    this.problems = options.problems ?? [];
  }
}

/** The command line cannot be carried out as written: exit 2. */
export class UsageError extends ThermosError {
  /** The usage of the command, which the command adds to errors of its own words; shown below the message. */
  usage?: string;

  constructor(code: ProblemCode, message: string, hint?: string) {
    super(code, message, { exitCode: EXIT.usage, hint });
  }
}

/** The error for a flag or an argument whose value is not one: `--lines takes a number or all, not 'x'`. */
export function badValue(
  name: string,
  takes: string,
  given: string,
  code: ProblemCode = 'usage',
): UsageError {
  return new UsageError(code, `${name} takes ${takes}, not '${given}'`);
}

/** What was asked for is not here: exit 1. */
export class NotFoundError extends ThermosError {
  /** The addresses of the agents that were asked for it; undefined if none was. */
  agents?: readonly string[];

  /** `exitCode`: 5 if it may be where nobody could look. */
  constructor(
    code: ProblemCode,
    message: string,
    hint?: string,
    problems?: readonly Problem[],
    exitCode: ExitCode = EXIT.no,
  ) {
    super(code, message, { exitCode, hint, problems });
  }
}

/** The operating system refused (reading a named file, writing to stdout …): exit 5. */
export class SystemError extends ThermosError {
  constructor(code: ProblemCode, message: string, hint?: string, cause?: unknown) {
    super(code, message, { exitCode: EXIT.partial, hint, cause });
  }
}

/** The exit code of a command that ends with this error. An error that is not ours is a bug. Pure. */
export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof ThermosError ? error.exitCode : EXIT.bug;
}

/** Node does not know it. The number is the same on x86-64 and arm64. */
const EDQUOT = -122;

/** The `code` of a Node system error (`ENOENT` …), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  const { code, errno } = (error as NodeJS.ErrnoException | null | undefined) ?? {};
  if (errno === EDQUOT) return 'EDQUOT';
  return typeof code === 'string' ? code : undefined;
}

const ERRNO_TEXT: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a component of the path is not a directory',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  EIO: 'input/output error',
  ENAMETOOLONG: 'file name too long',
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'read-only file system',
  EMFILE: 'too many open files',
  ESTALE: 'stale file handle',
};

/** The text of `strerror(3)` for a Node system error, or the error's own message. */
export function describeErrno(error: unknown): string {
  const code = errnoOf(error);
  if (code !== undefined && ERRNO_TEXT[code] !== undefined) return ERRNO_TEXT[code];
  // The message of any other error names the path of the system call, which must not be shown.
  const text = textOfErrno((error as NodeJS.ErrnoException | undefined)?.errno);
  if (text !== undefined) return text;
  return error instanceof Error ? error.message : String(error);
}

/** Asks for Node's module when it is needed: a browser, which loads this file too, has none, and no error with a number. */
function textOfErrno(errno: number | undefined): string | undefined {
  if (errno === undefined) return undefined;
  return process.getBuiltinModule('node:util').getSystemErrorMap().get(errno)?.[1];
}
