import { UsageError } from '../errors/errors.js';
import { nearest } from '../text/near.js';
import type { FoundTask } from './found.js';
import {
  globTest,
  hasGlobCharacters,
  type IdTest,
  jobKeyTests,
  looksLikeGlob,
  regExpTest,
} from './pattern.js';

/**
 * `look`: a word may match several tasks, by pattern, by prefix, or by any part of their ids. `look-strictly`: the same
 * without parts of ids, for a word that may mean something else. `change`: only whole ids. `exact`: a word is an id, and
 * neither a pattern nor a path.
 */
export type Mode = 'look' | 'look-strictly' | 'change' | 'exact';

export interface Unmatched {
  word: string;
  /** Similar ids, the most similar first; at most 5. */
  near: string[];
}

export interface Match {
  /** Each once, in the order of the given tasks. */
  tasks: FoundTask[];
  unmatched: Unmatched[];
}

/** Longer words can't be ids (a file name has at most 255 bytes) and are not sensible patterns. */
const LONGEST_WORD = 4096;

/**
 * The tasks that the words select. An exact id wins. Otherwise the first interpretation that matches any task:
 *
 * - `look` and `look-strictly`: a regular expression anchored at the start, as in the original, or a glob for the whole id
 *   (the characters of the word decide which comes first), then a prefix of ids;
 * - `change`: a regular expression or a glob, depending on the characters of the word, for the whole id.
 *
 * Throws UsageError `bad-pattern` for a word that matches nothing and is neither a valid regular expression
 * nor a glob, and, in `change` and `exact`, `ambiguous-task` for an id that is in several roots.
 */
export function findTasks(tasks: readonly FoundTask[], words: readonly string[], mode: Mode): Match {
  const chosen = new Set<FoundTask>();
  const unmatched: Unmatched[] = [];
  for (const word of words) {
    const matching = matchingTasks(tasks, word, mode);
    if (matching.length === 0) unmatched.push({ word, near: nearest(word, idsOf(tasks)) });
    if (mode === 'change' || mode === 'exact') refuseDuplicateIds(matching);
    for (const task of matching) chosen.add(task);
  }
  return { tasks: tasks.filter((task) => chosen.has(task)), unmatched };
}

function matchingTasks(tasks: readonly FoundTask[], word: string, mode: Mode): FoundTask[] {
  if (word.length > LONGEST_WORD) {
    throw new UsageError(
      'bad-pattern',
      `a word of ${word.length} characters is neither a task nor a pattern`,
    );
  }
  const exact = tasks.filter((task) => task.task_id === word);
  if (exact.length > 0 || mode === 'exact') return exact;

  const glob = hasGlobCharacters(word) ? globTest(word) : undefined;
  let regExp: IdTest | undefined;
  let syntaxError: unknown;
  try {
    regExp = regExpTest(word, mode === 'change');
  } catch (error) {
    syntaxError = error;
  }
  const patterns = looksLikeGlob(word) ? [glob, regExp] : [regExp, glob];
  const readings = patterns.filter((reading) => reading !== undefined);
  // A second interpretation would be a surprise when something is changed: `kk-*` as a regular expression is `kk`.
  if (mode === 'change') readings.splice(1);
  else readings.push((id) => id.startsWith(word));
  for (const reading of readings) {
    const matching = tasks.filter((task) => reading(task.task_id));
    if (matching.length > 0) return matching;
  }
  if (regExp === undefined && glob === undefined) {
    // V8 repeats the pattern before the reason.
    const why = String((syntaxError as Error).message).replace(/^.*\/[a-z]*: /s, '');
    throw new UsageError(
      'bad-pattern',
      `'${word}' is neither a task here nor a valid pattern: ${why}`,
      'give an exact task id, a regular expression or a glob',
    );
  }
  return [];
}

/**
 * The tasks that a command which only looks finds by a word that means nothing stricter: `ROLE/ENV/JOB[/INSTANCE]`, as
 * Aurora writes the key of a job, or any part of an id. Only ids are compared; no file is opened.
 */
export function findLoosely(tasks: readonly FoundTask[], word: string): FoundTask[] {
  const readings = [...jobKeyTests(word), (id: string) => id.includes(word)];
  for (const reading of readings) {
    const matching = tasks.filter((task) => reading(task.task_id));
    if (matching.length > 0) return matching;
  }
  return [];
}

/** When something is changed, the same id in two roots is two tasks, of which the user means only one. */
function refuseDuplicateIds(matching: readonly FoundTask[]): void {
  const rootsOf = new Map<string, string[]>();
  for (const { task_id, root } of matching) {
    const roots = rootsOf.get(task_id);
    if (roots === undefined) rootsOf.set(task_id, [root.path]);
    else roots.push(root.path);
  }
  for (const [task_id, roots] of rootsOf) {
    if (roots.length === 1) continue;
    throw new UsageError(
      'ambiguous-task',
      `task ${task_id} is in ${roots.length} roots: ${roots.join(', ')}`,
      'choose one with --root, or give the path of its sandbox or checkpoint directory',
    );
  }
}

function* idsOf(tasks: readonly FoundTask[]): Iterable<string> {
  for (const task of tasks) yield task.task_id;
}
