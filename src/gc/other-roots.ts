import { errnoOf } from '../errors/errors.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { phasePath, rootPaths, SANDBOXES } from '../layout/root-paths.js';
import { pathsOf } from '../layout/task-paths.js';
import { listDirectory } from '../store/list.js';
import { presenceOf } from '../store/look.js';
import { isWithin, nameOf, parentOf } from '../store/paths.js';

const PHASES = ['active', 'finished'] as const;

/** Access to the disk; tests replace it. */
export interface RootsReader {
  readonly isDirectory: (path: string) => boolean;
  readonly exists: (path: string) => boolean;
  /** The directories in a directory; undefined if there are too many. */
  readonly directoriesIn: (path: string) => readonly string[] | undefined;
  /** All names in a directory; undefined if there are too many or it is not accessible. */
  readonly namesIn: (path: string) => readonly string[] | undefined;
}

export const ROOTS_ON_DISK: RootsReader = {
  isDirectory: (path) => presenceOf(path, 'no-follow') === 'directory',
  exists: (path) => presenceOf(path, 'no-follow') !== 'absent',
  directoriesIn: (path) => {
    try {
      const { entries, complete } = listDirectory(path, { max: MOST_ENTRIES.tasks });
      if (!complete) return undefined;
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    } catch {
      // A directory that we cannot list holds no root that we could name.
      return [];
    }
  },
  namesIn: (path) => {
    try {
      const { entries, complete } = listDirectory(path, { max: MOST_ENTRIES.tasks });
      return complete ? entries.map(({ name }) => name) : undefined;
    } catch (error) {
      return errnoOf(error) === 'ENOENT' ? [] : undefined;
    }
  },
};

/**
 * Finds other roots that may own a directory outside a root: a copied root names the directories of its original. Reads
 * each directory once; create a new instance to read again.
 */
export class OtherRoots {
  readonly #known: readonly string[];
  readonly #reader: RootsReader;
  /** By directory: the roots directly in it. */
  readonly #beside = new Map<string, readonly string[] | undefined>();
  readonly #around = new Map<string, readonly string[] | string>();
  #last: { key: string; why: string | undefined } | undefined;
  readonly #ids = new Map<string, ReadonlySet<string> | undefined>();
  readonly #above = new Map<string, string | undefined>();

  /** `known`: roots that are already known, without links. */
  constructor(known: readonly string[], reader: RootsReader = ROOTS_ON_DISK) {
    this.#known = known;
    this.#reader = reader;
  }

  /**
   * Why a sandbox outside `root` belongs to another root: that root is above it, or, if `asked`, has a task with the same
   * id. All paths are without links.
   */
  owning(sandbox: string, taskId: string, root: string, asked: boolean): string | undefined {
    const key = `${sandbox}\0${taskId}\0${root}\0${asked}`;
    // Logs and data of a task are checked one after the other.
    if (this.#last?.key !== key) {
      const why = this.#aboveOf(sandbox, root) ?? (asked ? this.#knowing(taskId, sandbox, root) : undefined);
      this.#last = { key, why };
    }
    return this.#last?.why;
  }

  #aboveOf(path: string, root: string): string | undefined {
    if (this.#isRoot(path)) return 'it is a task root';
    const directory = parentOf(path);
    const key = `${directory}\0${root}`;
    if (!this.#above.has(key)) this.#above.set(key, this.#ownerOf(directory, root));
    return this.#above.get(key);
  }

  #ownerOf(directory: string, root: string): string | undefined {
    for (let at = directory; at !== '/' && !isWithin(root, at); at = parentOf(at)) {
      if (this.#isRoot(at)) return `it is a part of the task root ${at}`;
      const around = parentOf(at);
      if (nameOf(at) === SANDBOXES && around !== root && this.#reader.isDirectory(rootPaths(around).tasks)) {
        return `it is a sandbox of the task root ${around}`;
      }
    }
    return undefined;
  }

  /** Finds another root with a task of this id: above or beside the directory or the root, or among the known ones. */
  #knowing(taskId: string, path: string, root: string): string | undefined {
    const around = this.#rootsAround(parentOf(path), root);
    if (typeof around === 'string')
      return `${around}, so another task root with this task cannot be ruled out`;
    const other = around.find((each) => !isWithin(each, path) && this.#has(each, taskId));
    return other && `the task root ${other} has a task of this id too`;
  }

  #has(root: string, taskId: string): boolean {
    if (!this.#ids.has(root)) this.#ids.set(root, this.#idsIn(root));
    const ids = this.#ids.get(root);
    if (ids !== undefined) return ids.has(taskId);
    const { directory, active, finished } = pathsOf({ root, taskId });
    return [directory, active, finished].some((each) => this.#reader.exists(each));
  }

  /** The ids of its tasks; undefined if there are too many to list. */
  #idsIn(root: string): ReadonlySet<string> | undefined {
    const ids = new Set<string>();
    for (const path of [rootPaths(root).checkpoints, ...PHASES.map((phase) => phasePath(root, phase))]) {
      const names = this.#reader.namesIn(path);
      if (names === undefined) return undefined;
      for (const name of names) ids.add(name);
    }
    return ids;
  }

  /** The roots other than `root` above and beside a directory and `root`; or why not all are known. */
  #rootsAround(directory: string, root: string): readonly string[] | string {
    const key = `${directory}\0${root}`;
    const known = this.#around.get(key);
    if (known !== undefined) return known;
    const found = new Set(this.#known);
    let tooMuch: string | undefined;
    for (const start of [directory, parentOf(root)]) {
      for (let at = start; ; at = parentOf(at)) {
        if (this.#mayBeRoot(at)) found.add(at);
        const beside = this.#rootsIn(at);
        if (beside === undefined) tooMuch = `${at} has too many entries`;
        else for (const each of beside) found.add(each);
        if (at === '/') break;
      }
    }
    found.delete(root);
    const around = tooMuch ?? [...found];
    this.#around.set(key, around);
    return around;
  }

  #rootsIn(directory: string): readonly string[] | undefined {
    if (!this.#beside.has(directory)) {
      const prefix = directory === '/' ? '' : directory;
      // A directory of this name contains sandboxes, possibly many.
      const names = nameOf(directory) === SANDBOXES ? [] : this.#reader.directoriesIn(directory);
      const found = names?.map((name) => `${prefix}/${name}`).filter((path) => this.#mayBeRoot(path));
      this.#beside.set(directory, found);
    }
    return this.#beside.get(directory);
  }

  #mayBeRoot(path: string): boolean {
    if (this.#reader.isDirectory(rootPaths(path).checkpoints)) return true;
    return PHASES.some((phase) => this.#reader.isDirectory(phasePath(path, phase)));
  }

  #isRoot(path: string): boolean {
    if (this.#known.includes(path)) return true;
    if (!this.#reader.isDirectory(rootPaths(path).checkpoints)) return false;
    return PHASES.some((phase) => this.#reader.isDirectory(phasePath(path, phase)));
  }
}
