/** How far a long operation has come. */
export interface Advance {
  done: number;
  /** Missing if the total is not known. */
  total?: number;
  /** What is counted: `tasks`. */
  what: string;
}

/**
 * Shows what a use case is doing. A use case reports everything that may take long; the implementation decides whether
 * and when to draw it, because a step that ends at once need not be shown.
 */
export interface Progress {
  /** A step begins: `planning`, `waiting for the runner of web-1`. Replaces the one before. */
  start(what: string): void;
  /** The step has advanced. May be called thousands of times a second. */
  update(advance: Advance): void;
  /** The step is over; nothing of it stays on the screen. May be called again. */
  stop(): void;
  /**
   * Does work that blocks the event loop, as a step. An interrupt ends the program at once, as without a progress, and
   * nothing of the step stays on the screen.
   */
  during<Result>(what: string, work: () => Result): Result;
}

/** For use without a terminal. */
export const NO_PROGRESS: Progress = { start() {}, update() {}, stop() {}, during: (_, work) => work() };
