import { keyOf, mentions, Ranking, SORT_KEYS, type SortKey } from '../app/task-order.js';
import { NotFoundError } from '../errors/errors.js';
import { hasError } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import { age } from '../text/age.js';
import { idLine, type StatusItem, StatusPage } from '../views/status.js';
import { say } from './failure.js';
import { LastKnown, type SeenTasks, type Silent } from './last-known.js';
import { keysKey, sortKeys } from './list-keys.js';
import type { ListContent } from './list-screen.js';
import type { Style, Terminal } from './terminal.js';
import { notesOf } from './watch.js';
import { type ListKey, type ListRequest, type ListSource, watchList } from './watch-list.js';
import { leftOutNotice, pageOptions, type StatusFlags, type WatchedTasks } from './watched-tasks.js';

/** Shows the tasks on a screen of its own. Resolves to the exit code. */
export async function watchStatusList(
  tasks: WatchedTasks,
  flags: StatusFlags,
  terminal: Terminal,
  intervalMs: number,
): Promise<number> {
  const { exitCode, notes } = await watchList(
    terminal,
    intervalMs,
    new StatusList(tasks, flags, () => terminal.now()),
  );
  for (const note of notes) say(terminal, note);
  return exitCode;
}

interface Seen extends SeenTasks {
  /** Not certainly as before. */
  readonly isNew: boolean;
  readonly notice?: string | undefined;
}

function silentText({ agent, timeMs }: Silent, now: number): string {
  const time = new Date(timeMs).toISOString().slice(11, 19);
  return `${agent} does not answer: its tasks are shown as they were ${age(timeMs, now)} ago, at ${time}`;
}

/** The order without --sort. */
const BY_PHASE = 'active first';

/** The tasks, as `status` shows them. */
export class StatusList implements ListSource {
  readonly orders: readonly string[];
  readonly keys: readonly ListKey[] = [keysKey(sortKeys('r'))];
  /** The tasks of the lines that were drawn last. */
  protected shown: readonly TaskView[] = [];
  readonly #tasks: WatchedTasks;
  readonly #flags: StatusFlags;
  readonly #now: () => number;
  readonly #known = new LastKnown();
  /** Agents whose tasks are shown as they were. */
  protected silent: readonly Silent[] = [];
  #views: readonly TaskView[] = [];
  #notes: readonly string[] = [];

  constructor(tasks: WatchedTasks, flags: StatusFlags, now: () => number) {
    this.#tasks = tasks;
    this.#flags = flags;
    this.#now = now;
    const first = flags.sort ?? BY_PHASE;
    this.orders = [first, ...[BY_PHASE, ...SORT_KEYS].filter((order) => order !== first)];
  }

  async look(): Promise<boolean> {
    const seen = await this.#seen();
    const wasSilent = this.silent.length > 0;
    if (!seen.isNew && !wasSilent && seen.agents === undefined) return false;
    const [before, notesBefore] = [this.#views, this.#notes];
    const { views, silent } = this.#known.add(seen, this.#now());
    this.#views = views;
    this.silent = silent;
    if (!seen.isNew && !wasSilent) return false;
    this.#notes = notesOf(seen.problems, views.length > 0 ? undefined : seen.notice);
    return this.#notes.join('\n') !== notesBefore.join('\n') || !this.#looksSame(before, views);
  }

  async #seen(): Promise<Seen> {
    try {
      const isNew = await this.#tasks.look();
      const { views, answer } = this.#tasks;
      return { ...answer, views, isNew };
    } catch (error) {
      // No agent answers that may have what the words mean.
      if (!(error instanceof NotFoundError) || !this.#known.isAny || !hasError(error.problems)) throw error;
      return { views: [], problems: error.problems, agents: error.agents ?? [], isNew: true };
    }
  }

  content({ filter, order, reverse, style }: ListRequest): ListContent {
    const { limit, quiet } = this.#flags;
    const sort = this.orders[order] === BY_PHASE ? undefined : (this.orders[order] as SortKey);
    const page = new StatusPage(pageOptions(this.#flags), style);
    const ranking = new Ranking<{ view: TaskView; item: StatusItem }>(
      { sort, reverse: reverse !== Boolean(this.#flags.reverse) },
      limit,
    );
    for (const view of this.#views) {
      const item = page.add(view);
      if (filter !== '' && !mentions(view, filter)) continue;
      ranking.add(keyOf(view), { view, item: quiet ? idLine(view).trimEnd() : item });
    }
    const { leftOut } = ranking;
    const left = leftOutNotice(leftOut);
    const silent = this.silent.map((each) => silentText(each, style.now));
    const notes = [...silent, ...(left === undefined ? [] : [left]), ...this.#notes];
    const ranked = ranking.items();
    this.shown = ranked.map(({ view }) => view);
    const items = ranked.map(({ item }) => item);
    if (quiet) return { summary: [], titles: undefined, lines: items as string[], notes };
    if (this.#views.length === 0) return { summary: [], titles: undefined, lines: [], notes };
    const { summary, titles, body } = page.parts(items);
    // Without titles, a task has several lines.
    const names = titles === undefined ? undefined : this.shown.map(lineId);
    return { summary, titles, lines: body, notes, unit: titles === undefined ? 'line' : undefined, names };
  }

  /** Do the rows of the same tasks show the same, but for ages? Blocks are not compared. */
  #looksSame(before: readonly TaskView[], after: readonly TaskView[]): boolean {
    if (this.#flags.verbosity > 1 || before.length !== after.length) return false;
    const page = new StatusPage(pageOptions(this.#flags), {} as Style);
    return after.every((view, i) => {
      const other = before[i] as TaskView;
      return view === other || isEqual(page.add(other), page.add(view));
    });
  }
}

/** A task id may be in several roots, and on several agents. */
export function lineId({ found, root }: TaskView): string {
  return `${root.agent?.url ?? ''}\n${found.checkpoint_dir}`;
}

function isEqual(a: StatusItem, b: StatusItem): boolean {
  const other = new Map(Object.entries(b));
  return Object.entries(a).every(([name, value]) => other.get(name) === value);
}
