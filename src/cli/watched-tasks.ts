import type { RootFlags } from '../app/search.js';
import { lookAtTasks, type StatusAnswer, type StatusQuery } from '../app/status.js';
import type { TaskSearch } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { parseTime } from '../text/time.js';
import type { StatusColumn } from '../views/parts/status-columns.js';
import type { StatusPageOptions, Verbosity } from '../views/status.js';
import type { AgentFlags } from './agent-flags.js';
import type { Terminal } from './terminal.js';

export interface StatusFlags extends RootFlags, AgentFlags {
  only?: string;
  state?: readonly string[];
  failed: boolean;
  since?: string;
  sort?: string;
  reverse: boolean;
  limit?: number;
  verbosity: number;
  columns?: readonly string[];
  wide: boolean;
  'no-trunc': boolean;
  quiet: boolean;
  json: boolean;
  interval?: string;
}

/** The tasks as they are when looked at again. */
export class WatchedTasks {
  readonly #words: readonly string[];
  readonly #flags: StatusFlags;
  readonly #terminal: Terminal;
  readonly #search: TaskSearch;
  /** A task of which nothing was read again has the same view. */
  views: readonly TaskView[] = [];
  #answer: StatusAnswer | undefined;

  constructor(words: readonly string[], flags: StatusFlags, terminal: Terminal, search: TaskSearch) {
    this.#words = words;
    this.#flags = flags;
    this.#terminal = terminal;
    this.#search = search;
  }

  /** That of the last look. */
  get answer(): StatusAnswer {
    return this.#answer as StatusAnswer;
  }

  /** Resolves to false if there is certainly nothing new. Rejects with NotFoundError if no word matches a task. */
  async look(): Promise<boolean> {
    // With --since, time passes, too.
    const isTimeless = this.#answer !== undefined && this.#flags.since === undefined;
    if (isTimeless && this.#search.mayHaveChanged?.() === false) return false;
    const views: TaskView[] = [];
    const query = queryOf(this.#words, this.#flags, this.#terminal);
    const answer = await lookAtTasks(query, this.#search, (view) => views.push(view));
    const before = this.#answer;
    const isNew =
      before === undefined ||
      before.notice !== answer.notice ||
      !isSame(this.views, views) ||
      !isSame(messagesOf(before), messagesOf(answer)) ||
      !isSame(rootsOf(before), rootsOf(answer));
    this.views = views;
    this.#answer = answer;
    return isNew;
  }
}

const messagesOf = ({ problemsOfSearch }: StatusAnswer) => problemsOfSearch.map(({ message }) => message);
const rootsOf = ({ roots }: StatusAnswer) => roots.map(({ path }) => path);

function isSame<T>(before: readonly T[], after: readonly T[]): boolean {
  return before.length === after.length && before.every((each, i) => each === after[i]);
}

/** What is asked for now. */
export function queryOf(
  words: readonly string[],
  { only, state, failed, since }: StatusFlags,
  terminal: Terminal,
): StatusQuery {
  const sinceMs = since === undefined ? undefined : parseTime(since, 'since', terminal.now());
  return { words, only, state, failed, sinceMs };
}

/** Undefined if every task is shown. */
export function leftOutNotice(leftOut: number): string | undefined {
  if (leftOut === 0) return undefined;
  const more = leftOut === 1 ? '1 more task is' : `${leftOut} more tasks are`;
  return `${more} not shown, because of --limit.`;
}

/** How the flags want a page to look. */
export function pageOptions({ verbosity, columns, wide, 'no-trunc': uncut }: StatusFlags): StatusPageOptions {
  return {
    verbosity: verbosity as Verbosity,
    columns: columns as readonly StatusColumn[] | undefined,
    wide,
    uncut,
  };
}
