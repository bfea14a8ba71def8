import type { ProblemCode } from '../errors/codes.js';
import { ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { EvaluationSession } from './model.js';

/** Which names a config finds: those of `.thermos` files, or also those of `.aurora` files. */
export type Dialect = 'thermos' | 'aurora';

/** A config that is written in Python, ready to be executed. */
export interface Program {
  /** As the user gave it; the paths of `include` are relative to its directory. */
  path: string;
  source: Uint8Array;
  dialect: Dialect;
  /** The program builds its objects here; `exported` and `jobs` are its results. */
  session: EvaluationSession;
  /** The environment that it sees. */
  environment: Readonly<Record<string, string | undefined>>;
  /** The directory for relative paths of `open`. */
  cwd: string;
  /** Takes what the config prints; it goes to stderr, since stdout is for the result. */
  print(text: string): void;
}

/** Executes a program to its end. Throws ConfigError of phase `load`: syntax, an exception, an endless loop … */
export type ExecuteProgram = (program: Program) => Promise<void>;

/** The phases of an evaluation: execute; check the types; choose a task; check that it can run. */
export type EvaluationPhase = 'load' | 'typecheck' | 'select' | 'validate';

/** The config cannot be used: exit 2. Its `problems` are listed one by one, the message sums up. */
export class ConfigError extends ThermosError {
  readonly phase: EvaluationPhase;

  /** `debug` (a Python traceback …) is what `--debug` shows. */
  constructor(
    phase: EvaluationPhase,
    code: ProblemCode,
    message: string,
    options: { hint?: string; problems?: readonly Problem[]; cause?: unknown; debug?: string } = {},
  ) {
    super(code, message, { exitCode: EXIT.usage, ...options });
    this.phase = phase;
    if (options.debug !== undefined) this.stack = `${this.stack}\n${options.debug}`;
  }
}
