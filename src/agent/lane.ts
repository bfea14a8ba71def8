/** Runs at most so many calls, which must not throw but reject, at once; those that are urgent begin before all others. */
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

  run<T>(call: () => Promise<T>, urgent = false): Promise<T> {
    if (this.#running < this.#most) {
      this.#running += 1;
      return this.#begin(call);
    }
    const turn = new Promise<void>((begin) => (urgent ? this.#urgent : this.#waiting).push(begin));
    return turn.then(() => this.#begin(call));
  }

  #begin<T>(call: () => Promise<T>): Promise<T> {
    const running = call();
    running.then(this.#over, this.#over);
    return running;
  }

  /** The next one takes over the place. */
  readonly #over = (): void => {
    const next = this.#urgent.shift() ?? this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  };
}

/** Uses the items in their order, so many at once. Rejects with the first failure. */
export async function eachAtOnce<T>(
  items: readonly T[],
  most: number,
  use: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const index = next++;
      await use(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
}
