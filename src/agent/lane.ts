/** Runs at most so many calls at once; those that are urgent begin before all others. */
export class Lane {
  readonly #most: number;
  #running = 0;
  readonly #urgent: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** How many calls wait for their turn. */
  get waiting(): number {
    return this.#urgent.length + this.#waiting.length;
  }

  async run<T>(call: () => Promise<T>, urgent = false): Promise<T> {
    if (this.#running >= this.#most) {
      await new Promise<void>((begin) => (urgent ? this.#urgent : this.#waiting).push(begin));
    } else this.#running += 1;
    try {
      return await call();
    } finally {
      // The next one takes over the place.
      const next = this.#urgent.shift() ?? this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
