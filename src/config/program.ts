import type { ProblemCode } from '../errors/codes.js';
import { ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { Session } from './model.js';

/** Which names a config finds: those of `.thermos` files, or with them those of `.aurora` files. */
export type Dialect = 'thermos' | 'aurora';

/** A config that is written in Python, ready to be executed. */
export interface Program {
  /** As it was named; what `include` says is relative to its directory. */
  path: string;
  source: Uint8Array;
  dialect: Dialect;
  /** What the program builds is built here; `exported` and `jobs` are what it leaves. */
  session: Session;
  /** What it sees as its environment. */
  environment: Readonly<Record<string, string | undefined>>;
  /** What `open` is relative to. */
  cwd: string;
  /** What the config prints; shown on stderr, since stdout is the answer's. */
  print(text: string): void;
}

/** Executes a program to its end. Throws ConfigError of phase `load`: syntax, an exception, an endless loop … */
export type ExecuteProgram = (program: Program) => Promise<void>;

/** How far a config came: executed; checked against the types; a task chosen; found fit to run. */
export type EvaluationPhase = 'load' | 'typecheck' | 'select' | 'validate';

/** The config can't be used: exit 2. Its `problems` are told one by one, the message sums up. */
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
