import { MOST_ENTRIES } from '../layout/limits.js';
import { defaultLogDir } from '../layout/log-paths.js';
import { CHECKPOINTS, SANDBOXES, TASKS } from '../layout/root-paths.js';
import { byName, type Entry, listDirectory } from '../store/list.js';
import { absolutePath, isDirectory, realPath } from '../store/look.js';
import { nameOf, parentOf } from '../store/paths.js';
import type { TaskRoot } from './found.js';
import { throughLatest } from './mesos-tree.js';
import { looksLikeRoot, mayBeRoot, rootAround, rootAt } from './roots.js';

/** What a path names: a root, and one task of it, or all of them. */
export interface NamedByPath {
  root: TaskRoot;
  task_id?: string;
}

/** Ids hold no `/`; `.` and `..` are no ids. */
export function isPathWord(word: string): boolean {
  return word.includes('/') || word === '.' || word === '..';
}

/**
 * What a path stands for by the fixed names of the layouts: a checkpoint root, a Mesos run directory, a task
 * file, a checkpoint directory or a stream in it, a sandbox in `ROOT/sandboxes`, or anything below those.
 * Undefined if it is none of them or isn't there.
 */
export function namedByPath(word: string, cwd: string): NamedByPath | undefined {
  const path = throughLatest(absolutePath(word, cwd));
  const real = realPath(path);
  if (real === undefined) return undefined;
  // The real path first, for `latest` is no run; the one that was typed for a stream that is a link.
  return inTree(real) ?? (real === path ? undefined : inTree(path));
}

function inTree(path: string): NamedByPath | undefined {
  const around = rootAround(path, 'argument');
  if (around !== undefined) return { root: around.root, task_id: taskIdBelow(around.below) };
  // A root of which little is left: no `tasks` directory tells that it is one.
  const directory = isDirectory(path) ? path : parentOf(path);
  if (nameOf(parentOf(directory)) === CHECKPOINTS && nameOf(directory) !== '') {
    return { root: rootAt(parentOf(parentOf(directory)), 'argument', false), task_id: nameOf(directory) };
  }
  return mayBeRoot(path) ? { root: rootAt(path, 'argument', false) } : undefined;
}

/** The way from a root down to a path; which task it belongs to, if it tells. */
function taskIdBelow(below: readonly string[]): string | undefined {
  const [first, second, third] = below;
  if (first === CHECKPOINTS || first === SANDBOXES) return second;
  return first === TASKS ? third : undefined;
}

/** The nearest directory on the way up that holds logs of processes, as a sandbox does. */
export function sandboxAround(path: string): string | undefined {
  for (let directory = path; directory !== '/'; directory = parentOf(directory)) {
    if (isDirectory(defaultLogDir(directory))) return directory;
  }
  return undefined;
}

/**
 * The bare roots that stand beside a sandbox, or beside the directory of sandboxes that it is in. Whether one
 * of them is the sandbox's own, only the headers of its tasks tell.
 */
export function rootsBeside(sandbox: string, source: string): TaskRoot[] {
  const found: TaskRoot[] = [];
  const parent = parentOf(sandbox);
  for (const directory of new Set([parent, parentOf(parent)])) {
    if (directory === '/') continue;
    let entries: Entry[] = [];
    try {
      entries = listDirectory(directory, { max: MOST_ENTRIES.other }).entries.sort(byName);
    } catch {
      // May not be listed: nothing was asked of it.
    }
    for (const entry of entries) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory() && looksLikeRoot(path)) found.push(rootAt(path, source, false));
    }
  }
  return found;
}
