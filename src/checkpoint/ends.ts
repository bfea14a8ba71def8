/** Where elements of a list were left out: `count` of them, after the first `at`. */
export interface Gap {
  at: number;
  count: number;
}

/**
 * A list that keeps its first and its last elements when it gets long. `limit` may shrink: then it keeps fewer. It
 * always keeps the first `limit / 2` and the last `limit / 2` for the smallest limit so far, and all elements if there
 * were never more.
 */
export class Ends<T> {
  readonly #first: T[] = [];
  #last: T[] = [];
  #added = 0;

  /** How many elements are in memory: at most one and a half times the limit. */
  get held(): number {
    return this.#first.length + this.#last.length;
  }

  push(element: T, limit: number): void {
    const half = limit >> 1;
    this.#added += 1;
    if (half === 0) return;
    if (this.#first.length < half && this.#last.length === 0) this.#first.push(element);
    else this.#last.push(element);
    // Not one by one: removing from the front of an array moves all elements after it.
    if (this.#last.length >= 2 * half) this.#last = this.#last.slice(this.#last.length - half);
  }

  trim(limit: number): void {
    const half = limit >> 1;
    if (this.#first.length > half) {
      // The end of the first half may be the last elements so far.
      this.#last = [...this.#first.splice(half), ...this.#last];
    }
    if (this.#last.length > half) this.#last = half === 0 ? [] : this.#last.slice(-half);
  }

  /** The kept elements, and where others were left out. */
  list(limit: number): { kept: T[]; gap: Gap | undefined } {
    const half = limit >> 1;
    const last = this.#last.length > half ? this.#last.slice(this.#last.length - half) : this.#last;
    const kept = [...this.#first, ...last];
    const count = this.#added - kept.length;
    return { kept, gap: count > 0 ? { at: this.#first.length, count } : undefined };
  }
}
