import type { Mode } from '../discovery/find.js';
import { SearchMemory } from '../discovery/memory.js';
import type { Selection } from '../discovery/select.js';
import { rootPaths } from '../layout/root-paths.js';
import { type RootFlags, tasksToChange, tasksToLookAt } from './search.js';

type Discover = NonNullable<Parameters<typeof tasksToLookAt>[3]>;

/** Finds tasks of this host repeatedly: what `status --watch`, `report --watch` and `events` look for their tasks with. */
export class RepeatedSearch {
  readonly #flags: RootFlags;
  readonly #memory: SearchMemory;
  #ofRoots: ReadonlySet<string> = new Set();
  #outside: readonly string[] = [];

  /** `now`: the clock, in milliseconds since the epoch. */
  constructor(flags: RootFlags, now: () => number) {
    this.#flags = flags;
    this.#memory = new SearchMemory(now);
  }

  /** The tasks that the words select; see `selectTasks`. */
  find(words: readonly string[], mode: Mode): Selection {
    if (mode === 'change') return tasksToChange(this.#flags, words);
    return this.#select(words, mode, (options) => this.#memory.discover(options));
  }

  /** As the last `find`, with tasks that have started: `changed` are directories that have changed since. Takes less time. */
  findStarted(words: readonly string[], changed: ReadonlySet<string>): Selection {
    return this.#select(words, 'look', () => this.#memory.discoverStarted(changed));
  }

  #select(words: readonly string[], mode: Exclude<Mode, 'change'>, discover: Discover): Selection {
    const known = new Set<object>();
    const selection = tasksToLookAt(this.#flags, words, mode, (options) => {
      const found = discover(options);
      for (const root of found.roots) known.add(root);
      return found;
    });
    const directories = selection.roots.map((root) => ({ root, paths: rootPaths(root.path) }));
    this.#ofRoots = new Set(
      directories.flatMap(({ paths: { active, finished, checkpoints } }) => [active, finished, checkpoints]),
    );
    // The root around the path of a sandbox may be none of those that are searched.
    this.#outside = directories
      .filter(({ root }) => !known.has(root))
      .flatMap(({ paths: { active, finished, checkpoints } }) => [active, finished, checkpoints]);
    return selection;
  }

  /** True for a directory in which a task of a known root starts or ends. */
  isOfRoot(directory: string): boolean {
    return this.#ofRoots.has(directory);
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
