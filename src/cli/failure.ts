import type { ProblemCode } from '../errors/codes.js';
import { errnoOf, exitCodeOfError, ThermosError, UsageError } from '../errors/errors.js';
import type { ExitCode } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { isShortage, shortageError } from '../errors/shortage.js';
import { visible } from '../text/escape.js';
import { jsonText } from '../text/json.js';
import { widthOf } from '../text/width.js';
import type { Terminal } from './terminal.js';
import { hasFlag } from './words.js';

/** What a failed command reports, as in `{"error":{…}}`. */
export interface Failure {
  code: ProblemCode;
  message: string;
  hint?: string;
  /** The usage of the command; printed on stderr only. */
  usage?: string;
  /** Other problems that were noticed. */
  problems?: readonly Problem[];
  exitCode: ExitCode;
}

const TRIED = 'the command cannot go on';

/** Maps anything thrown to its report. Pure. */
export function failureOf(thrown: unknown): Failure {
  const error =
    isShortage(thrown) && !(thrown instanceof ThermosError) ? shortageError(TRIED, thrown) : thrown;
  const exitCode = exitCodeOfError(error);
  if (error instanceof ThermosError) {
    const { code, message, hint } = error;
    const usage = error instanceof UsageError ? error.usage : undefined;
    const problems = error.problems.length > 0 ? error.problems : undefined;
    return { code, message, hint, usage, problems, exitCode };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'bug',
    message: `this is a bug in thermos: ${message}`,
    hint: 'run it again with --debug and report what it prints',
    exitCode,
  };
}

/**
 * Problems as printed on stderr, one per line; a hint that several in a row share follows the last of them. `width`: that of
 * the terminal, if it is one.
 */
export function problemsText(problems: readonly Problem[], width?: number): string {
  let text = '';
  for (const [i, { severity, message, hint, agent }] of problems.entries()) {
    const where = agent === undefined || message.includes(agent) ? '' : ` (on ${agent})`;
    text += sentence(`${severity}: ${message + where}`, width);
    if (hint !== undefined && hint !== problems[i + 1]?.hint) text += sentence(`hint: ${hint}`, width);
  }
  return text;
}

/** A command that a person may copy: from its name to the end, or to the next one. */
const COMMAND = /'?(?:sudo |ssh )?(?:thermos|sudo) [^;,]*[;,]?/g;
/** A blank within a command, until lines are broken. */
const KEPT = '\u0000';

/**
 * What is said on stderr, escaped, with its newline. On a terminal, of this width, lines are broken between words, but not in
 * a command, which is copied as it is: the terminal breaks that.
 */
export function sentence(text: string, width: number | undefined): string {
  const line = visible(text);
  if (width === undefined || line.length <= width) return `${line}\n`;
  const words = line.replace(COMMAND, (command) => command.replaceAll(' ', KEPT)).split(' ');
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((each) => `${each.replaceAll(KEPT, ' ')}\n`).join('');
}

/** Says it on stderr, as `sentence` has it. */
export function say(terminal: Terminal, text: string): void {
  terminal.writeError(sentence(text, terminal.style(2).width));
}

/** Reports the failure (JSON on stdout under `--json`, else text on stderr) and returns the exit code. */
export function reportFailure(error: unknown, argv: readonly string[], terminal: Terminal): number {
  const failure = failureOf(error);
  if (hasFlag(argv, '--json') && errnoOf(error) !== 'output-failed') {
    const { code, message, usage, problems } = failure;
    const hint = failure.hint ?? (usage && `usage: ${usage}`);
    terminal.write(`${jsonText({ error: { code, message, hint, problems } })}\n`);
  } else {
    terminal.writeError(problemsText(failure.problems ?? [], terminal.style(2).width));
    say(terminal, `error: ${failure.message}`);
    if (failure.hint !== undefined) say(terminal, `hint: ${failure.hint}`);
    if (failure.usage !== undefined) say(terminal, `usage: ${failure.usage}`);
  }
  if (hasFlag(argv, '--debug', '--app_debug', '--app-debug') && error instanceof Error)
    terminal.writeError(stackText(error));
  return failure.exitCode;
}

/** The lines of a stack; the message in it may have several. */
function stackText({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .map((line) => `${visible(line)}\n`)
    .join('');
}
