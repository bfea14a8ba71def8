import { findLoosely, findTasks, type Mode } from '../discovery/find.js';
import type { Discovery, FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import { splitAtLatest } from '../layout/mesos.js';
import { isWithin, parentOf } from '../store/paths.js';

const MOST_NEAR = 5;

/**
 * The tasks of agents that TASK words select, all of them if there are no words: as on a host, by id, pattern, prefix,
 * part of ids or a job's key, or by an absolute path on the agent's host. Throws as `findTasks`. Pure.
 */
export function selectRemote(discovery: Discovery, words: readonly string[], mode: Mode): Selection {
  const { tasks } = discovery;
  if (words.length === 0) return { ...discovery, selected: tasks, unmatched: [] };
  const chosen = new Set<FoundTask>();
  const unmatched: Selection['unmatched'] = [];
  for (const word of words) {
    const { found, near } = matching(tasks, word, mode);
    if (found.length === 0) unmatched.push({ word, near });
    for (const task of found) chosen.add(task);
  }
  return { ...discovery, selected: tasks.filter((task) => chosen.has(task)), unmatched };
}

function matching(
  tasks: readonly FoundTask[],
  word: string,
  mode: Mode,
): { found: readonly FoundTask[]; near: string[] } {
  const loosely = () => findLoosely(tasks, word);
  if (word.includes('/')) {
    const named = word.startsWith('/') && mode !== 'exact' ? tasksAt(tasks, word) : [];
    const found = named.length === 0 && mode === 'look' ? loosely() : named;
    const near = found.length > 0 ? [] : [...new Set(loosely().map(({ task_id }) => task_id))];
    return { found, near: near.slice(0, MOST_NEAR) };
  }
  try {
    const { tasks: found, unmatched } = findTasks(tasks, [word], mode);
    const [{ near } = { near: [] }] = unmatched;
    return { found: found.length === 0 && mode === 'look' ? loosely() : found, near };
  } catch (error) {
    // A word that is no pattern may be a part of ids.
    const found = mode === 'look' ? loosely() : [];
    if (found.length === 0) throw error;
    return { found, near: [] };
  }
}

/** The tasks of the sandbox that a path is in, or of those that are in it; only one if the path is in what is its own. */
function tasksAt(tasks: readonly FoundTask[], path: string): readonly FoundTask[] {
  const plain = throughLatest(tasks, path.replace(/\/+$/, ''));
  const around = tasks.filter(
    ({ root }) => isWithin(plain, root.run_dir ?? root.path) || isWithin(root.path, plain),
  );
  const own = around.filter(
    ({ checkpoint_dir, task_file }) => isWithin(plain, checkpoint_dir) || plain === task_file,
  );
  return own.length > 0 ? own : around;
}

/** The path with the newest run for `latest`: agents list those that run before those that ended. */
function throughLatest(tasks: readonly FoundTask[], path: string): string {
  const split = splitAtLatest(path);
  if (split === undefined) return path;
  const newest = tasks.find(({ root }) => parentOf(root.run_dir ?? '') === split.runs);
  return newest === undefined ? path : `${newest.root.run_dir}${split.rest}`;
}
