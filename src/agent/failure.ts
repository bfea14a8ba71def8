import type { ProblemCode } from '../errors/codes.js';
import type { Problem } from '../errors/problem.js';

/**
 * `absent`, `forbidden`: of the path that was asked for. `unauthorized`, `recovering`, `unreachable`: of the agent as a
 * whole. `odd`: an answer that an agent does not give.
 */
export type FailureKind = 'absent' | 'forbidden' | 'unauthorized' | 'recovering' | 'unreachable' | 'odd';

/** Why an agent did not give what was asked for. The message says only the reason, without a secret and without the address. */
export class AgentFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/**
 * The failure that was thrown; undefined for anything else. By its fields and not by its class: the client is in a file of
 * its own, with a class of its own.
 */
export function failureIn(thrown: unknown): AgentFailure | undefined {
  const { kind } = (thrown ?? {}) as Partial<AgentFailure>;
  return typeof kind === 'string' && Object.hasOwn(CODES, kind) ? (thrown as AgentFailure) : undefined;
}

const CODES: Readonly<Record<FailureKind, ProblemCode>> = {
  absent: 'agent-answer-odd',
  forbidden: 'agent-unauthorized',
  unauthorized: 'agent-unauthorized',
  recovering: 'agent-recovering',
  unreachable: 'agent-unreachable',
  odd: 'agent-answer-odd',
};

const MASTER_CODES: Readonly<Record<FailureKind, ProblemCode>> = {
  absent: 'master-answer-odd',
  forbidden: 'master-unauthorized',
  unauthorized: 'master-unauthorized',
  recovering: 'master-no-leader',
  unreachable: 'master-unreachable',
  odd: 'master-answer-odd',
};

/** The problem of masters, as they were named, that did not say which agents there are. */
export function masterProblem({ kind, message, hint }: AgentFailure, master: string): Problem {
  const what = `cannot ask the master ${master}: ${message}`;
  return { code: MASTER_CODES[kind], severity: 'error', message: what, hint };
}

/** The problem of an agent that could not be read, or not to the end. */
export function problemOf({ kind, message, hint }: AgentFailure, agent: string): Problem {
  return {
    code: CODES[kind],
    severity: 'error',
    message: `cannot read the agent ${agent}: ${message}`,
    hint,
    agent,
  };
}
