import type { Selection } from '../discovery/select.js';
import { Host } from '../host/host.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { directoryMark } from '../store/look.js';
import { TransitionBoard } from '../task/transition-board.js';
import type { TransitionLook, TransitionWatch } from '../task/transition-watch.js';
import { RepeatedSearch } from './repeated-search.js';
import type { RootFlags } from './search.js';

export interface TransitionClocks {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Milliseconds from any point, which nobody sets. */
  clock: () => number;
}

/** After a look, there is a rest: as long as the look took, within these bounds, in milliseconds. */
const LEAST_REST_MS = 20;
const MOST_REST_MS = 50;
/** Where very many tasks are over, searching all of them takes at most 1/SEARCH_SHARE of the time. */
const SEARCH_SHARE = 10;
/** A root that does not exist yet appears in a directory at most so far above it. */
const LEVELS = 2;

/**
 * Follows the transitions of the tasks on this host that the words select, those since `sinceMs`. The kernel announces
 * changes of the directories of roots, and of those of tasks that are not over.
 */
export function localTransitions(
  flags: RootFlags,
  words: readonly string[],
  sinceMs: number,
  { now, clock }: TransitionClocks,
  host: () => Host = Host.snapshots(),
): TransitionWatch {
  const search = new RepeatedSearch(flags, now);
  const board = new TransitionBoard(sinceMs, clock);
  const watched = new WatchedDirectories();
  const { watcher } = watched;
  let isFirst = true;
  let restUntil = 0;
  /** When to search everything again; undefined if that is not known to be necessary. */
  let searchDue: number | undefined;
  let lastSearch = { end: 0, took: 0 };

  const searchAll = (): Selection => {
    const start = clock();
    const selection = search.find(words, 'look');
    const end = clock();
    lastSearch = { end, took: end - start };
    searchDue = undefined;
    return selection;
  };

  /** Undefined if there is certainly no other task. */
  const searchFor = (changed: ReadonlySet<string>): Selection | undefined => {
    if (isFirst) return searchAll();
    const others = [...changed].filter((directory) => !watched.isOfTask(directory));
    const isAnnounced = changed.size > 0 && others.length === 0;
    const isTime = searchDue !== undefined && clock() >= searchDue;
    if ((isAnnounced && !isTime) || !search.mayHaveChanged()) return undefined;
    const isStart = others.length > 0 && others.every((directory) => search.isOfRoot(directory));
    if (isTime || (changed.size > 0 && !isStart)) return searchAll();
    searchDue ??= Math.max(clock(), lastSearch.end + lastSearch.took * SEARCH_SHARE);
    return isStart ? search.findStarted(words, changed) : undefined;
  };

  const look = (): TransitionLook => {
    const start = clock();
    const changed = watcher.take();
    const selection = searchFor(changed);
    if (selection !== undefined) board.update(selection.selected, now());
    watched.update(selection === undefined ? undefined : search.directories, board.directories);
    const found = board.read(host, changed, watcher.isBlind);
    watcher.found(found.transitions.length > 0, isFirst || changed.size > 0);
    isFirst = false;
    const end = clock();
    restUntil = end + Math.min(MOST_REST_MS, Math.max(LEAST_REST_MS, end - start));
    return { ...found, selection };
  };

  const changes = async (): Promise<void> => {
    const toSearch = searchDue === undefined ? Number.POSITIVE_INFINITY : Math.max(0, searchDue - clock());
    await watcher.changes(Math.min(toSearch, board.rest ?? Number.POSITIVE_INFINITY));
    const rest = restUntil - clock();
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  };

  return { look, changes, close: () => watcher.close() };
}

/** Directories that are watched, again if others have replaced them. */
class WatchedDirectories {
  readonly watcher = new DirectoryWatcher();
  readonly #identities = new Map<string, string>();
  #ofTasks: ReadonlySet<string> = new Set();

  isOfTask(directory: string): boolean {
    return this.#ofTasks.has(directory);
  }

  /** Undefined: those of roots are as before. */
  update(ofRoots: Iterable<string> | undefined, ofTasks: Iterable<string>): void {
    if (ofRoots === undefined) {
      // Of a task that is about to start, the directory may be made later than the task file.
      for (const directory of this.#ofTasks)
        if (!this.watcher.watches(directory)) this.watcher.watch(directory);
      return;
    }
    this.#ofTasks = new Set(ofTasks);
    const wanted = new Set([...ofRoots, ...this.#ofTasks]);
    for (const directory of this.#identities.keys()) {
      if (wanted.has(directory)) continue;
      this.watcher.unwatch(directory);
      this.#identities.delete(directory);
    }
    for (const directory of wanted) {
      const { identity } = directoryMark(directory);
      if (this.#identities.get(directory) !== identity) this.watcher.unwatch(directory);
      this.#identities.set(directory, identity);
      this.watcher.watch(directory, this.#ofTasks.has(directory) ? 0 : LEVELS);
    }
  }
}
