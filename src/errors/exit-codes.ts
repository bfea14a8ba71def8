/** Exit codes, a contract with scripts: never renumbered. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** The answer is no: nothing matched, not found, the task ended FAILED. */
  no: 1,
  /** Usage, invalid config, confirmation needed but no terminal. */
  usage: 2,
  /** The task ended KILLED. */
  killed: 3,
  /** The task ended LOST. */
  lost: 4,
  /** Done in part: something could not be read, signalled or removed. */
  partial: 5,
  /** A bug in thermos. */
  bug: 10,
  timeout: 124,
  interrupted: 130,
  terminated: 143,
} as const;
