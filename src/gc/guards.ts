import { isWithin, nameOf, parentOf } from '../store/paths.js';

/** Directories that hold what no task owns, whatever a checkpoint says: they and all that is in them. */
const SYSTEM_TREES = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/proc',
  '/sbin',
  '/sys',
  '/usr',
];
/** What stands in these belongs to the machine or its users; only what is further down may be a task's. */
const SYSTEM_SHELVES = ['/', '/home', '/run', '/var', '/var/lib', '/var/log'];

/** A directory that somebody else uses, and how he is called in a refusal. */
export interface Claim {
  path: string;
  by: string;
}

/** What a host holds that gc must not touch. All paths are without links. */
export interface Surroundings {
  /** Home directories of all users. */
  homes: readonly string[];
  mountPoints: readonly string[];
  /** Task roots and Mesos work directories. */
  roots: readonly string[];
}

/** A directory that a header names as its task's. */
export interface Named {
  /** Without links. */
  path: string;
  task_id: string;
  /** The root of its task, without links. */
  root: string;
}

/**
 * Why a sandbox must not be removed, or undefined if nothing speaks against it. Pure: only the paths are
 * looked at. Claims of other tasks are `claimOn`'s.
 */
export function refusal({ path, task_id, root }: Named, around: Surroundings): string | undefined {
  if (path === '/') return 'it is the root of the file system';
  for (const tree of SYSTEM_TREES) if (isWithin(path, tree)) return `${tree} belongs to the system`;
  if (SYSTEM_SHELVES.includes(path) || SYSTEM_SHELVES.includes(parentOf(path))) {
    return 'a directory that high up belongs to the system';
  }
  for (const home of around.homes) {
    if (home !== '/' && isWithin(home, path)) {
      return home === path ? 'it is a home directory' : `the home directory ${home} is in it`;
    }
  }
  const mount = mounted(path, around.mountPoints);
  if (mount !== undefined) return mount;
  for (const other of around.roots) {
    if (isWithin(other, path))
      return other === path ? 'it is a task root' : `the task root ${other} is in it`;
    if (!isWithin(path, other)) continue;
    const own = other === root && isWithin(path, `${root}/sandboxes/${task_id}`);
    if (!own && isWithin(path, `${other}/sandboxes`)) {
      return `${nameOf(path)} among the sandboxes of ${other} is not the place of task ${task_id}`;
    }
    if (!own) return `it is a part of the task root ${other}`;
  }
  return undefined;
}

/** Why a directory must not be removed as long as something is mounted there; undefined if nothing is. Pure. */
export function mounted(path: string, mountPoints: readonly string[]): string | undefined {
  const point = mountPoints.find((each) => isWithin(each, path));
  if (point === undefined) return undefined;
  return point === path ? 'something is mounted there' : `something is mounted in it, at ${point}`;
}

/** Finds out who else uses a directory, or something in it, or something around it. */
export class Claims {
  readonly #byPath = new Map<string, Claim & { task: object }>();
  readonly #shared = new Map<string, Claim & { task: object }>();
  #sorted: string[] | undefined;

  /** `task` is the claimant: its own claims are none against it. */
  add(path: string, task: object, by: string): void {
    const known = this.#byPath.get(path);
    if (known === undefined) this.#byPath.set(path, { path, task, by });
    else if (known.task !== task) this.#shared.set(path, { path, task, by });
    this.#sorted = undefined;
  }

  /** A claim of somebody else on the directory; undefined if there is none. */
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

/** The index of the first of the sorted that is not before `text`. */
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

/** LOG_DIR/PROCESS/RUN/{stdout,stderr}[.N]: is this a way into a directory of logs? Pure. */
export function isLogPath(names: readonly string[], isDirectory: boolean): boolean {
  const [, run, file] = names;
  if (names.length > 3) return false;
  if (file !== undefined) return !isDirectory && /^(?:stdout|stderr)(?:\.[1-9]\d*)?$/.test(file);
  return isDirectory && (run === undefined || /^\d+$/.test(run));
}
