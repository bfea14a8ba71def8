import { UsageError } from '../errors/errors.js';
import { absolutePath, realPath } from '../store/look.js';
import { isWithin } from '../store/paths.js';
import { discover, tasksOf } from './discover.js';
import { findLoosely, findTasks, type Mode, type Unmatched } from './find.js';
import type { Discovery, FoundTask, TaskRoot } from './found.js';
import { sandboxesUnreadable } from './mesos-tree.js';
import { type RootOptions, rootAround, rootsAreNamed } from './roots.js';
import { isPathWord, type NamedByPath, namedByPath, rootsBeside, sandboxAround } from './task-path.js';
import { compareTasks } from './tasks.js';

export interface Selection extends Discovery {
  /** Those of `tasks` that the words select, or all of them if there were no words; in the same order. */
  selected: FoundTask[];
  /** Words that match no task. */
  unmatched: Unmatched[];
}

export interface SelectHooks {
  /** Where the sandbox in a task's header is on this machine; called only for path words. */
  sandboxOf?: (task: FoundTask) => string | undefined;
  /** Finds roots and tasks; default: `discover`. */
  discover?: (options: RootOptions) => Discovery;
}

/**
 * The tasks that a command's TASK words select. Without words: all tasks, but only those of the root that the
 * working directory is in or whose sandbox it is, if there is one. A word with a `/` (or `.`, `..`) is a path; other
 * words are paths only if they match no id. In `look`, a word that is neither is a job's key or a part of ids. The root that contains a path is read even if it is not among the
 * discovered roots; if all words are such paths and no flag names a root, no other root is read. Throws as
 * `findTasks` does, and `ambiguous-task` in `change` for a path that matches several tasks.
 */
export function selectTasks(
  options: RootOptions,
  words: readonly string[],
  mode: Mode,
  hooks: SelectHooks = {},
): Selection {
  const find = hooks.discover ?? discover;
  if (words.length === 0) {
    const discovery = besideCwd(options, hooks) ?? find({ ...options, fromCwd: true });
    return { ...discovery, selected: discovery.tasks, unmatched: [] };
  }
  const cwd = options.cwd ?? '/';
  const byPath = new Map<string, NamedByPath | undefined>();
  const isPath = (word: string) => mode !== 'exact' && isPathWord(word);
  for (const word of words) if (isPath(word)) byPath.set(word, namedByPath(word, cwd));
  const flagged = (options.flags.root?.length ?? 0) + (options.flags.mesosRoot?.length ?? 0) > 0;
  const onlyPaths = !flagged && words.every((word) => byPath.get(word) !== undefined);
  const discovery = onlyPaths ? { roots: [], tasks: [], problems: [] } : find({ ...options, fromCwd: false });

  const selection = new Selector(discovery, options, mode);
  for (const word of words) {
    if (isPath(word)) selection.addPath(word, byPath.get(word), hooks);
    else selection.addWord(word, hooks);
  }
  return selection.result();
}

/** The tasks of the root beside the sandbox that the working directory is in, if it is in one. */
function besideCwd(options: RootOptions, { sandboxOf }: SelectHooks): Discovery | undefined {
  const { cwd } = options;
  if (cwd === undefined || sandboxOf === undefined || rootsAreNamed(options)) return undefined;
  const sandbox = sandboxAround(cwd);
  if (sandbox === undefined || rootAround(cwd, 'cwd') !== undefined) return undefined;
  for (const root of rootsBeside(sandbox, 'cwd')) {
    const discovery = tasksOf([root]);
    if (innermost(cwd, discovery.tasks, sandboxOf).length > 0) return discovery;
  }
  return undefined;
}

/** The tasks whose sandboxes contain a path; for nested sandboxes, those of the innermost. */
function innermost(
  path: string,
  tasks: readonly FoundTask[],
  sandboxOf: NonNullable<SelectHooks['sandboxOf']>,
): FoundTask[] {
  let longest = 1;
  let found: FoundTask[] = [];
  for (const task of tasks) {
    const recorded = sandboxOf(task);
    const sandbox = recorded === undefined ? undefined : realPath(recorded);
    if (sandbox === undefined || sandbox.length < longest || sandbox === '/') continue;
    if (!isWithin(path, sandbox)) continue;
    if (sandbox.length > longest) found = [];
    longest = sandbox.length;
    found.push(task);
  }
  return found;
}

const MOST_NEAR = 5;

class Selector {
  readonly #discovery: Discovery;
  readonly #options: RootOptions;
  readonly #mode: Mode;
  readonly #chosen = new Set<FoundTask>();
  readonly #unmatched: Unmatched[] = [];

  constructor(discovery: Discovery, options: RootOptions, mode: Mode) {
    this.#discovery = discovery;
    this.#options = options;
    this.#mode = mode;
  }

  result(): Selection {
    const tasks = this.#discovery.tasks.sort(compareTasks);
    return {
      ...this.#discovery,
      tasks,
      selected: tasks.filter((task) => this.#chosen.has(task)),
      unmatched: this.#unmatched,
    };
  }

  addWord(word: string, hooks: SelectHooks): void {
    let near: Unmatched[] = [];
    let failure: unknown;
    try {
      const match = findTasks(this.#discovery.tasks, [word], this.#mode);
      if (match.unmatched.length === 0) {
        this.#choose(match.tasks);
        return;
      }
      near = match.unmatched;
    } catch (error) {
      if (!(error instanceof UsageError) || error.code !== 'bad-pattern') throw error;
      failure = error;
    }
    if (this.#mode === 'exact') {
      for (const each of near) this.#unmatched.push(each);
      return;
    }
    const named = namedByPath(word, this.#options.cwd ?? '/');
    const tasks = this.#orLoosely(word, this.#tasksAt(word, named, hooks));
    if (tasks.length > 0) this.#choose(tasks);
    else if (failure !== undefined) throw failure;
    else {
      for (const each of near) this.#unmatched.push(each);
    }
  }

  addPath(word: string, named: NamedByPath | undefined, hooks: SelectHooks): void {
    const tasks = this.#orLoosely(word, this.#tasksAt(word, named, hooks));
    if (tasks.length === 0) this.#unmatched.push({ word, near: this.#near(word) });
    else this.#choose(tasks);
  }

  /** What a word would mean to a command that only looks. */
  #near(word: string): string[] {
    const ids = findLoosely(this.#discovery.tasks, word).map(({ task_id }) => task_id);
    return [...new Set(ids)].slice(0, MOST_NEAR);
  }

  #orLoosely(word: string, tasks: FoundTask[]): FoundTask[] {
    return tasks.length === 0 && this.#mode === 'look' ? findLoosely(this.#discovery.tasks, word) : tasks;
  }

  #tasksAt(word: string, named: NamedByPath | undefined, hooks: SelectHooks): FoundTask[] {
    if (named !== undefined) {
      const root = this.#rootOf(named.root);
      const tasks = this.#discovery.tasks.filter(
        (task) => task.root === root && (named.task_id === undefined || task.task_id === named.task_id),
      );
      if (tasks.length > 0) return this.#oneToChange(word, tasks);
    }
    return this.#oneToChange(word, this.#tasksWithSandboxAround(word, hooks));
  }

  /** The discovered root with the same real path; otherwise the root is added, with its tasks. */
  #rootOf(root: TaskRoot): TaskRoot {
    const real = realPath(root.path);
    const known = this.#discovery.roots.find(({ path }) => path === root.path || realPath(path) === real);
    if (known !== undefined) return known;
    const added = tasksOf([root]);
    this.#discovery.roots.push(root);
    for (const each of added.tasks) this.#discovery.tasks.push(each);
    for (const each of added.problems) this.#discovery.problems.push(each);
    if (!root.readable) this.#discovery.problems.push(sandboxesUnreadable(root.path, 1));
    return root;
  }

  /** Searches the known tasks first, then roots beside a directory that looks like a sandbox. */
  #tasksWithSandboxAround(word: string, { sandboxOf }: SelectHooks): FoundTask[] {
    const path = realPath(absolutePath(word, this.#options.cwd ?? '/'));
    if (path === undefined || sandboxOf === undefined) return [];
    const known = innermost(path, this.#discovery.tasks, sandboxOf);
    if (known.length > 0) return known;
    for (const root of rootsBeside(sandboxAround(path) ?? path, 'argument')) {
      const found = innermost(path, tasksOf([root]).tasks, sandboxOf);
      const ids = new Set(found.map((task) => task.task_id));
      if (ids.size === 0) continue;
      const added = this.#rootOf(root);
      return this.#discovery.tasks.filter((task) => task.root === added && ids.has(task.task_id));
    }
    return [];
  }

  #oneToChange(word: string, tasks: FoundTask[]): FoundTask[] {
    if (this.#mode !== 'change' || tasks.length < 2) return tasks;
    const ids = tasks.slice(0, 5).map((task) => task.task_id);
    const more = tasks.length > ids.length ? ', …' : '';
    throw new UsageError(
      'ambiguous-task',
      `'${word}' matches ${tasks.length} tasks: ${ids.join(', ')}${more}`,
      'name the tasks, or give the path of one',
    );
  }

  #choose(tasks: readonly FoundTask[]): void {
    for (const task of tasks) this.#chosen.add(task);
  }
}
