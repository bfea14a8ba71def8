/** How far something has come that takes long. */
export interface Advance {
  done: number;
  /** Left out where it is not known how much there is. */
  total?: number;
  /** What is counted: `tasks`. */
  what: string;
}

/**
 * Shows to whoever waits what a use case is doing. A use case says it of everything that may take long; whether and
 * when that is drawn is decided by whoever draws: what ends at once need not be seen.
 */
export interface Progress {
  /** From now on this is being done: `planning`, `waiting for the runner of web-1`. Replaces what was said before. */
  start(what: string): void;
  /** It has come so far. May be called thousands of times a second. */
  update(advance: Advance): void;
  /** It is over; nothing of it stays on the screen. May be called again. */
  stop(): void;
}

/** Where nobody watches. */
export const NO_PROGRESS: Progress = { start() {}, update() {}, stop() {} };
