import { parentOf } from '../store/paths.js';

/** A directory that is in use, and the name of its user for a refusal. */
export interface Claim {
  path: string;
  by: string;
}

/** Finds other users of a directory, of something in it, or of a directory above it. */
export class Claims {
  readonly #byPath = new Map<string, Claim & { task: object }>();
  readonly #shared = new Map<string, Claim & { task: object }>();
  #sorted: string[] | undefined;

  /** `task` is the claimant; its claims do not count against itself. */
  add(path: string, task: object, by: string): void {
    const known = this.#byPath.get(path);
    if (known === undefined) this.#byPath.set(path, { path, task, by });
    else if (known.task !== task) this.#shared.set(path, { path, task, by });
    this.#sorted = undefined;
  }

  /** A claim of another task on the directory; undefined if there is none. */
  on(path: string, task: object): Claim | undefined {
    for (let at = path; ; at = parentOf(at)) {
      const claim = this.#at(at, task);
      if (claim !== undefined) return claim;
      if (at === '/') break;
    }
    this.#sorted ??= [...this.#byPath.keys()].sort();
    const prefix = path === '/' ? '/' : `${path}/`;
    for (let i = firstFrom(this.#sorted, prefix, (each) => each); this.#sorted[i]?.startsWith(prefix); i++) {
      const claim = this.#at(this.#sorted[i] as string, task);
      if (claim !== undefined) return claim;
    }
    return undefined;
  }

  #at(path: string, task: object): Claim | undefined {
    const claim = this.#byPath.get(path);
    if (claim === undefined || claim.task !== task) return claim;
    return this.#shared.get(path);
  }
}

/** The index of the first sorted element that is not before `text`. */
export function firstFrom<T>(sorted: readonly T[], text: string, textOf: (each: T) => string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (textOf(sorted[middle] as T) < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
