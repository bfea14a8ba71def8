import type { Phase } from '../layout/root-paths.js';
import type { TaskView } from '../task/view.js';

/** What `--sort` accepts. */
export const SORT_KEYS = ['age', 'state', 'id', 'user', 'failures'] as const;

export type SortKey = (typeof SORT_KEYS)[number];

/** Which tasks are shown; a task must pass every part that is given. */
export interface TaskFilter {
  /** A phase. */
  only?: string;
  state?: readonly string[];
  /** Only tasks that failed, were lost, or whose verdict is not `ok`. */
  failed?: boolean;
  /** Only tasks that entered their state at this time or later; milliseconds since the epoch. */
  sinceMs?: number;
}

export function passes(view: TaskView, { only, state, failed, sinceMs }: TaskFilter): boolean {
  if (only !== undefined && view.phase !== only) return false;
  if (state !== undefined && !state.includes(String(view.state))) return false;
  if (failed && view.state !== 'FAILED' && view.state !== 'LOST' && view.verdict === 'ok') return false;
  return sinceMs === undefined || timeOf(view) >= sinceMs;
}

/**
 * Does what is shown of a task contain each of the words? Capital letters make no difference, nor do the slashes of
 * short ids.
 */
export function mentions(view: TaskView, words: string): boolean {
  const { task_id, name, phase, state, verdict, user, owner, root } = view;
  const plain = (text: string) => text.toLowerCase().replaceAll('/', '-');
  const text = plain([task_id, name, phase, state, verdict, user, owner, root.path].join(' '));
  return plain(words)
    .split(' ')
    .every((word) => text.includes(word));
}

export interface TaskOrder {
  /**
   * `age`: the newest state first; `state`: what needs attention first; `id`, `user`: by the alphabet; `failures`: the
   * most failed processes first. Tasks that are equal in it, and all tasks without it: active ones by id, then finished
   * ones, the newest first.
   */
  sort?: SortKey;
  /** The whole order backwards. */
  reverse?: boolean;
}

/** What tasks are ordered by: the little of a view that is kept until the last task was read. */
export interface TaskKey {
  task_id: string;
  root: string;
  phase: Phase;
  state: string;
  user: string | undefined;
  /** Processes whose last run failed. */
  failed: number;
  /** When the task entered its state; -Infinity if that is not known. */
  timeMs: number;
}

export function keyOf(view: TaskView): TaskKey {
  return {
    task_id: view.task_id,
    root: view.root.path,
    phase: view.phase,
    state: String(view.state),
    user: view.user,
    failed: view.processes.filter(({ state }) => state === 'FAILED').length,
    timeMs: timeOf(view),
  };
}

/** Times in a stream are not trusted: one that is not a number counts as unknown. */
function timeOf({ state_timestamp_ms }: TaskView): number {
  const time = Number(state_timestamp_ms ?? Number.NaN);
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

type Compare = (a: TaskKey, b: TaskKey) => number;

/** A total order: two tasks are equal only if they have the same id and root. */
export function comparison({ sort, reverse = false }: TaskOrder): Compare {
  const first: Compare = sort === undefined ? () => 0 : BY[sort];
  const compare: Compare = (a, b) => first(a, b) || byDefault(a, b);
  return reverse ? (a, b) => compare(b, a) : compare;
}

/** By code units, so that no locale changes the order. */
function ascending<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const newestFirst: Compare = (a, b) => ascending(b.timeMs, a.timeMs);
const byId: Compare = (a, b) => ascending(a.task_id, b.task_id);

/** A state without a name comes before these. */
const STATES = ['FAILED', 'LOST', 'UNKNOWN', 'KILLED', 'CLEANING', 'FINALIZING', 'ACTIVE', 'SUCCESS'];

const BY: Readonly<Record<SortKey, Compare>> = {
  age: newestFirst,
  state: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state),
  id: byId,
  user: (a, b) =>
    Number(a.user === undefined) - Number(b.user === undefined) || ascending(a.user ?? '', b.user ?? ''),
  failures: (a, b) => b.failed - a.failed,
};

const byDefault: Compare = (a, b) => {
  if (a.phase !== b.phase) return a.phase === 'active' ? -1 : 1;
  const byAge = a.phase === 'active' ? 0 : newestFirst(a, b);
  return byAge || byId(a, b) || ascending(a.root, b.root);
};

/**
 * Puts tasks in order while they are read, one by one, with what is shown of each. With a limit, no more than that are
 * kept in memory.
 */
export class Ranking<T> {
  readonly #compare: Compare;
  readonly #limit: number;
  #entries: { key: TaskKey; item: T }[] = [];
  #added = 0;

  constructor(order: TaskOrder, limit = Number.POSITIVE_INFINITY) {
    this.#compare = comparison(order);
    this.#limit = limit;
  }

  add(key: TaskKey, item: T): void {
    this.#entries.push({ key, item });
    this.#added += 1;
    // Not at each task: sorting twice as many as are kept costs little per task.
    if (this.#entries.length >= 2 * this.#limit + SPARE) this.#sort();
  }

  /** In order, at most the limit. */
  items(): T[] {
    this.#sort();
    return this.#entries.map(({ item }) => item);
  }

  /** How many tasks are beyond the limit. */
  get leftOut(): number {
    return Math.max(0, this.#added - this.#limit);
  }

  #sort(): void {
    this.#entries.sort((a, b) => this.#compare(a.key, b.key));
    if (this.#entries.length > this.#limit) this.#entries.length = this.#limit;
  }
}

const SPARE = 64;
