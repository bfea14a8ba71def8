/** Of the time that has passed, work may take this part. */
const SHARE = 1 / 20;
/** Work goes on for so long before it rests: a rest for each entry would cost more than the entry. */
const SLICE_MS = 5;

/** Work that rests long enough to take no more than a twentieth of the time. */
export class Pace {
  readonly #clock: () => number;
  readonly #rest: (ms: number) => void;
  #since = 0;
  #owed = 0;

  /** `clock`: monotonic, in milliseconds. `rest` returns after that many. */
  constructor(clock: () => number, rest: (ms: number) => void) {
    this.#clock = clock;
    this.#rest = rest;
  }

  begin(): void {
    this.#since = this.#clock();
  }

  /** Called now and then during the work; true. */
  proceed(): true {
    if (this.#owed + this.#clock() - this.#since >= SLICE_MS) {
      this.end();
      this.#rest(this.#owed * (1 / SHARE - 1));
      this.#owed = 0;
      this.begin();
    }
    return true;
  }

  /** Short work is added up: it rests later. */
  end(): void {
    this.#owed += this.#clock() - this.#since;
  }
}
