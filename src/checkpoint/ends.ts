/** Where elements of a list were left out: `count` of them, behind the first `at`. */
export interface Gap {
  at: number;
  count: number;
}

/**
 * A list that keeps its first and its last elements when it gets long. `limit` may shrink: then it keeps fewer.
 * Whatever the steps, it keeps the first `limit / 2` and the last `limit / 2` of the smallest limit there was, and
 * all elements if there were never more than that.
 */
export class Ends<T> {
  readonly #first: T[] = [];
  #last: T[] = [];
  #added = 0;

  /** How many are held in memory, up to half as many more than the limit. */
  get held(): number {
    return this.#first.length + this.#last.length;
  }

  push(element: T, limit: number): void {
    const half = limit >> 1;
    this.#added += 1;
    if (half === 0) return;
    if (this.#first.length < half && this.#last.length === 0) this.#first.push(element);
    else this.#last.push(element);
    // Not one by one: taking from the front of an array moves all that is behind it.
    if (this.#last.length >= 2 * half) this.#last = this.#last.slice(this.#last.length - half);
  }

  trim(limit: number): void {
    const half = limit >> 1;
    if (this.#first.length > half) {
      // What stands at the end of the first may be the last that there is.
      this.#last = [...this.#first.splice(half), ...this.#last];
    }
    if (this.#last.length > half) this.#last = half === 0 ? [] : this.#last.slice(-half);
  }

  /** The elements that are kept, and where some were left out. */
  list(limit: number): { kept: T[]; gap: Gap | undefined } {
    const half = limit >> 1;
    const last = this.#last.length > half ? this.#last.slice(this.#last.length - half) : this.#last;
    const kept = [...this.#first, ...last];
    const count = this.#added - kept.length;
    return { kept, gap: count > 0 ? { at: this.#first.length, count } : undefined };
  }
}
