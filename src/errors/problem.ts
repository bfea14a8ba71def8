import type { ProblemCode } from './codes.js';

/**
 * Something that could not be read, or was read and is wrong. It is reported beside the answer, not instead of
 * it. The field names are those of the `problems` arrays in `--json` documents.
 */
export interface Problem {
  /** Stable, lower-case, kebab-case: `root-missing`, `checkpoint-damaged` … */
  code: ProblemCode;
  /** One sentence for a person; it may contain control characters, which views escape. */
  message: string;
  severity: 'error' | 'warning';
  path?: string;
  /** Byte offset in `path`. */
  offset?: number;
  line?: number;
  task_id?: string;
  process?: string;
  field?: string;
  /** The address of the agent that the problem is of. */
  agent?: string;
  hint?: string;
}

/** True if any of the problems means that something could not be done or read. */
export function hasError(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error');
}
