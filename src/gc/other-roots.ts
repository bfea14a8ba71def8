import { MOST_ENTRIES } from '../layout/limits.js';
import { phasePath, rootPaths, SANDBOXES } from '../layout/root-paths.js';
import { pathsOf } from '../layout/task-paths.js';
import { listDirectory } from '../store/list.js';
import { presenceOf } from '../store/look.js';
import { isWithin, nameOf, parentOf } from '../store/paths.js';

/** What is looked at on disk; tests make it up. */
export interface RootsLook {
  readonly isDirectory: (path: string) => boolean;
  readonly exists: (path: string) => boolean;
  /** The directories in a directory; undefined if there are too many to know. */
  readonly directoriesIn: (path: string) => readonly string[] | undefined;
}

export const ROOTS_ON_DISK: RootsLook = {
  isDirectory: (path) => presenceOf(path, 'no-follow') === 'directory',
  exists: (path) => presenceOf(path, 'no-follow') !== 'absent',
  directoriesIn: (path) => {
    try {
      const { entries, complete } = listDirectory(path, { max: MOST_ENTRIES.tasks });
      if (!complete) return undefined;
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    } catch {
      // What we may not list holds no root that we could name.
      return [];
    }
  },
};

/**
 * Finds the other roots that a directory outside a root may belong to: a copied root names the places of the one
 * that it was copied from. Looks at each directory once: make a new one to look again.
 */
export class OtherRoots {
  readonly #known: readonly string[];
  readonly #look: RootsLook;
  /** By directory: the roots right in it. */
  readonly #beside = new Map<string, readonly string[] | undefined>();
  readonly #areRoots = new Map<string, boolean>();

  /** `known`: roots that are known anyway, without links. */
  constructor(known: readonly string[], look: RootsLook = ROOTS_ON_DISK) {
    this.#known = known;
    this.#look = look;
  }

  /** Why a directory outside `root` is another root's: that lies above it. All paths are without links. */
  above(path: string, root: string): string | undefined {
    for (let at = path; at !== '/'; at = parentOf(at)) {
      if (at === root || isWithin(root, at)) continue;
      if (this.#isRoot(at)) return at === path ? 'it is a task root' : `it is a part of the task root ${at}`;
      const around = parentOf(at);
      if (nameOf(at) !== SANDBOXES || at === path || around === root) continue;
      if (this.#look.isDirectory(rootPaths(around).tasks))
        return `it is a sandbox of the task root ${around}`;
    }
    return undefined;
  }

  /** Another root that has a task of the id: one above or beside the directory or the root, or a known one. */
  knowing(taskId: string, path: string, root: string): string | undefined {
    for (const other of this.#known) if (this.#has(other, taskId, path, root)) return told(other);
    for (const start of [path, root]) {
      for (let at = parentOf(start); ; at = parentOf(at)) {
        if (this.#has(at, taskId, path, root)) return told(at);
        const beside = this.#rootsIn(at);
        if (beside === undefined)
          return `too much lies in ${at} to see whether another task root has a task ${taskId}`;
        for (const other of beside) if (this.#has(other, taskId, path, root)) return told(other);
        if (at === '/') break;
      }
    }
    return undefined;
  }

  #has(other: string, taskId: string, path: string, root: string): boolean {
    if (other === root || isWithin(other, path)) return false;
    const { directory, active, finished } = pathsOf({ root: other, taskId });
    return [directory, active, finished].some((each) => this.#look.exists(each));
  }

  #rootsIn(directory: string): readonly string[] | undefined {
    if (!this.#beside.has(directory)) {
      const prefix = directory === '/' ? '' : directory;
      const names = this.#look.directoriesIn(directory);
      const found = names?.map((name) => `${prefix}/${name}`).filter((path) => this.#mayBeRoot(path));
      this.#beside.set(directory, found);
    }
    return this.#beside.get(directory);
  }

  #mayBeRoot(path: string): boolean {
    const { checkpoints, tasks } = rootPaths(path);
    return this.#look.isDirectory(checkpoints) || this.#look.isDirectory(tasks);
  }

  #isRoot(path: string): boolean {
    const known = this.#areRoots.get(path);
    if (known !== undefined) return known;
    const { checkpoints } = rootPaths(path);
    const phases = [phasePath(path, 'active'), phasePath(path, 'finished')];
    const is =
      this.#known.includes(path) ||
      (this.#look.isDirectory(checkpoints) && phases.some((phase) => this.#look.isDirectory(phase)));
    this.#areRoots.set(path, is);
    return is;
  }
}

function told(root: string): string {
  return `the task root ${root} has a task of this id too`;
}
