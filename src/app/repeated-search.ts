import type { Mode } from '../discovery/find.js';
import { SearchMemory } from '../discovery/memory.js';
import type { Selection } from '../discovery/select.js';
import { rootPaths } from '../layout/root-paths.js';
import { type RootFlags, tasksToChange, tasksToLookAt } from './search.js';

/** Finds tasks of this host repeatedly: what `status --watch`, `report --watch` and `events` look for their tasks with. */
export class RepeatedSearch {
  readonly #flags: RootFlags;
  readonly #memory: SearchMemory;
  #outside: readonly string[] = [];

  /** `now`: the clock, in milliseconds since the epoch. */
  constructor(flags: RootFlags, now: () => number) {
    this.#flags = flags;
    this.#memory = new SearchMemory(now);
  }

  /** The tasks that the words select; see `selectTasks`. */
  find(words: readonly string[], mode: Mode): Selection {
    if (mode === 'change') return tasksToChange(this.#flags, words);
    const known = new Set<object>();
    const selection = tasksToLookAt(this.#flags, words, mode, (options) => {
      const found = this.#memory.discover(options);
      for (const root of found.roots) known.add(root);
      return found;
    });
    // The root around the path of a sandbox may be none of those that are searched.
    this.#outside = selection.roots
      .filter((root) => !known.has(root))
      .flatMap(({ path }) => {
        const { active, finished, checkpoints } = rootPaths(path);
        return [active, finished, checkpoints];
      });
    return selection;
  }

  /** False if `find` with the same words would certainly give the same as before. */
  mayHaveChanged(): boolean {
    return this.#outside.length > 0 || this.#memory.mayHaveChanged();
  }

  /** The directories in which the last `find` would have found something else. */
  get directories(): readonly string[] {
    return [...this.#memory.directories, ...this.#outside];
  }
}
