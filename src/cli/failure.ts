import { errnoOf, ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { escapeControl } from '../views/parts/escape.js';
import type { Terminal } from './terminal.js';
import { hasFlag } from './words.js';

/** What a failed command says, in the words of `{"error":{…}}`. */
export interface Failure {
  code: string;
  message: string;
  hint?: string;
  /** How the command is to be written; told on stderr only. */
  usage?: string;
  exitCode: number;
}

/** Maps anything thrown to what is told of it. Pure; the one place where exit codes of errors are decided. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ThermosError) {
    const { usage } = error as { usage?: string };
    return { code: error.code, message: error.message, hint: error.hint, usage, exitCode: error.exitCode };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'bug',
    message: `this is a bug in thermos: ${message}`,
    hint: 'run it again with --debug and report what it prints',
    exitCode: EXIT.bug,
  };
}

/** Tells the failure (JSON on stdout under `--json`, else text on stderr) and returns the exit code. */
export function reportFailure(error: unknown, argv: readonly string[], terminal: Terminal): number {
  const failure = failureOf(error);
  if (hasFlag(argv, '--json') && errnoOf(error) !== 'output-failed') {
    const { code, message, usage } = failure;
    const hint = failure.hint ?? (usage && `usage: ${usage}`);
    terminal.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  } else {
    for (const problem of error instanceof ThermosError ? error.problems : []) {
      terminal.writeError(`${problem.severity}: ${escapeControl(problem.message)}\n`);
    }
    terminal.writeError(`error: ${escapeControl(failure.message)}\n`);
    if (failure.hint !== undefined) terminal.writeError(`hint: ${escapeControl(failure.hint)}\n`);
    if (failure.usage !== undefined) terminal.writeError(`usage: ${failure.usage}\n`);
  }
  if (hasFlag(argv, '--debug') && error instanceof Error) terminal.writeError(`${error.stack}\n`);
  return failure.exitCode;
}
