import { MOST_ENTRIES } from '../layout/limits.js';
import { defaultLogDir } from '../layout/log-paths.js';
import { CHECKPOINTS, SANDBOXES, TASKS } from '../layout/root-paths.js';
import { byName, type Entry, listDirectory } from '../store/list.js';
import { absolutePath, isDirectory, realPath } from '../store/look.js';
import { nameOf, parentOf } from '../store/paths.js';
import type { TaskRoot } from './found.js';
import { throughLatest } from './mesos-tree.js';
import { looksLikeRoot, mayBeRoot, rootAround, rootAt } from './roots.js';

/** What a path names: a root, and one of its tasks or all of them. */
export interface NamedByPath {
  root: TaskRoot;
  task_id?: string;
}

/** True for words that can't be ids: those with a `/`, and `.` and `..`. */
export function isPathWord(word: string): boolean {
  return word.includes('/') || word === '.' || word === '..';
}

/**
 * What a path means by the fixed names of the layouts: a checkpoint root, a Mesos run directory, a task
 * file, a checkpoint directory or a stream in it, a sandbox in `ROOT/sandboxes`, or anything below those.
 * Undefined if it is none of them or doesn't exist.
 */
export function namedByPath(word: string, cwd: string): NamedByPath | undefined {
  const path = throughLatest(absolutePath(word, cwd));
  const real = realPath(path);
  if (real === undefined) return undefined;
  // The real path first, because `latest` is not a run; then the typed path, for a stream that is a link.
  return inTree(real) ?? (real === path ? undefined : inTree(path));
}

function inTree(path: string): NamedByPath | undefined {
  const around = rootAround(path, 'argument');
  if (around !== undefined) return { root: around.root, task_id: taskIdBelow(around.below) };
  // What is left of a root without its `tasks` directory.
  const directory = isDirectory(path) ? path : parentOf(path);
  if (nameOf(parentOf(directory)) === CHECKPOINTS && nameOf(directory) !== '') {
    return { root: rootAt(parentOf(parentOf(directory)), 'argument', false), task_id: nameOf(directory) };
  }
  return mayBeRoot(path) ? { root: rootAt(path, 'argument', false) } : undefined;
}

/** The task that a path belongs to, by the names from its root down to it; undefined if they name none. */
function taskIdBelow(below: readonly string[]): string | undefined {
  const [first, second, third] = below;
  if (first === CHECKPOINTS || first === SANDBOXES) return second;
  return first === TASKS ? third : undefined;
}

/** The nearest ancestor that contains logs of processes, as a sandbox does. */
export function sandboxAround(path: string): string | undefined {
  for (let directory = path; directory !== '/'; directory = parentOf(directory)) {
    if (isDirectory(defaultLogDir(directory))) return directory;
  }
  return undefined;
}

/**
 * The bare roots beside a sandbox, or beside the directory of sandboxes that contains it. Only the headers of its
 * tasks show whether a root is the sandbox's own.
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
      // It can't be listed: no problem, because nobody named it.
    }
    for (const entry of entries) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory() && looksLikeRoot(path)) found.push(rootAt(path, source, false));
    }
  }
  return found;
}
