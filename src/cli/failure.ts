import { errnoOf, ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { escapeControl } from '../views/parts/escape.js';
import type { Terminal } from './terminal.js';

/** What a failed command says, in the words of `{"error":{…}}`. */
export interface Failure {
  code: string;
  message: string;
  hint?: string;
  exitCode: number;
}

/** Maps anything thrown to what is told of it. Pure; the one place where exit codes of errors are decided. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ThermosError) {
    return { code: error.code, message: error.message, hint: error.hint, exitCode: error.exitCode };
  }
  // oclif's parser throws CLIError with `oclif.exit` 2: everything it knows is about usage.
  const oclif = (error as { oclif?: { exit?: number } } | undefined)?.oclif;
  if (oclif !== undefined && error instanceof Error) {
    const message = error.message.split('\n')[0] as string;
    return {
      code: 'usage',
      message,
      hint: 'see --help for the flags and arguments',
      exitCode: oclif.exit ?? EXIT.usage,
    };
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
  const dashes = argv.indexOf('--');
  const ours = dashes === -1 ? argv : argv.slice(0, dashes);
  if (ours.includes('--json') && errnoOf(error) !== 'output-failed') {
    const { code, message, hint } = failure;
    terminal.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  } else {
    for (const problem of error instanceof ThermosError ? error.problems : []) {
      terminal.writeError(`${problem.severity}: ${escapeControl(problem.message)}\n`);
    }
    terminal.writeError(`error: ${escapeControl(failure.message)}\n`);
    if (failure.hint !== undefined) terminal.writeError(`hint: ${escapeControl(failure.hint)}\n`);
  }
  if (ours.includes('--debug') && error instanceof Error) terminal.writeError(`${error.stack}\n`);
  return failure.exitCode;
}
