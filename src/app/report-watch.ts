import { createHash } from 'node:crypto';
import { encodeTask } from '../contracts/encode-task.js';
import type { FoundTask } from '../discovery/found.js';
import { SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { eachView, type TaskSearch } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import {
  newestFirst,
  placesOf,
  type ReportOptions,
  type ReportPorts,
  ReportWriter,
  type WrittenPage,
} from './report.js';
import { missingTasks, noSuchTask } from './search.js';
import type { Pause } from './wait.js';

export interface WatchPorts extends ReportPorts {
  pause: Pause;
  /** Resolves after a number of milliseconds. */
  sleep(milliseconds: number): Promise<void>;
  /** Takes what a look has written, and the problems that are new; `index` is undefined if it could not write everything. */
  written(pages: readonly WrittenPage[], index: string | undefined, problems: readonly Problem[]): void;
  /** True if nobody listens any more. */
  isClosed(): boolean;
}

/** A page is written at most once in this time. */
const EVERY_MS = 1000;

/**
 * Writes the pages of the tasks, and writes those of them again whose task has changed, and the list with them. Resolves
 * to the exit code of a signal, or 0 if nobody wants to know any more. Rejects like `makeReports` for what goes wrong at first;
 * what cannot be written later is a problem, and is tried again.
 */
export async function watchReports(options: ReportOptions, ports: WatchPorts): Promise<number> {
  const writer = new ReportWriter(options, ports, { follows: true });
  try {
    const watch = new Watch(options, ports, writer);
    for (;;) {
      const exitCode = (await ports.pause(watch.look())) ?? (await ports.pause(ports.sleep(EVERY_MS)));
      if (exitCode !== undefined) return exitCode;
      if (ports.isClosed()) return 0;
    }
  } finally {
    writer.close();
  }
}

class Watch {
  readonly #words: readonly string[];
  readonly #mode: 'exact' | 'look';
  readonly #ports: WatchPorts;
  readonly #writer: ReportWriter;
  readonly #search: TaskSearch;
  /** By place of the page: what it was written for. */
  readonly #known = new Map<string, { view: TaskView; mark: string }>();
  #isFirst = true;
  /** The last look could not write everything. */
  #isBehind = false;
  readonly #reported = new Set<string>();

  constructor({ words, exact }: ReportOptions, ports: WatchPorts, writer: ReportWriter) {
    this.#words = words;
    this.#mode = exact ? 'exact' : 'look';
    this.#ports = ports;
    this.#writer = writer;
    this.#search = ports.gatherer.board(() => ports.now());
  }

  async look(): Promise<void> {
    if (!this.#isFirst && !this.#isBehind && this.#search.mayHaveChanged?.() === false) return;
    const selection = await this.#search.find(this.#words, this.#mode);
    if (this.#isFirst && selection.unmatched.length > 0 && selection.selected.length === 0)
      throw noSuchTask(selection);
    try {
      await this.#write(selection.selected, [...selection.problems, ...missingTasks(selection)]);
      this.#isBehind = false;
    } catch (error) {
      if (this.#isFirst || !(error instanceof SystemError)) throw error;
      this.#isBehind = true;
      const { code, message, hint } = error;
      const problem: Problem = { code, severity: 'error', message, hint };
      this.#ports.written([], undefined, this.#newOf([problem]));
    }
    this.#isFirst = false;
  }

  async #write(selected: readonly FoundTask[], problems: readonly Problem[]): Promise<void> {
    const views = new Map<FoundTask, TaskView>();
    let next = 0;
    await eachView(this.#search.views(selected), (view) => views.set(selected[next++] as FoundTask, view));
    const placed = placesOf(await newestFirst(selected, this.#ports.gatherer));
    const places = new Set<string>();
    const all = [...problems];
    const written: string[] = [];
    let isRead = false;
    for (const { found, names } of placed) {
      const place = names.join('/');
      places.add(place);
      const view = views.get(found);
      if (view === undefined || !this.#hasChanged(place, view)) continue;
      if (!isRead) for (const problem of this.#ports.usage?.read() ?? []) all.push(problem);
      isRead = true;
      for (const problem of await this.#writer.write(await this.#ports.gatherer.source(found).read(), names))
        all.push(problem);
      this.#known.set(place, { view, mark: markOf(view) });
      written.push(place);
    }
    const gone = [...this.#known.keys()].filter((place) => !places.has(place));
    for (const place of gone) this.#known.delete(place);
    if (this.#isFirst) for (const problem of this.#ports.usage?.missing() ?? []) all.push(problem);
    this.#writer.keep(places);
    if (!this.#isFirst && written.length + gone.length === 0) return;
    const index = this.#writer.writeList(problems);
    this.#ports.written(this.#writer.pagesAt(written), index, this.#newOf(all));
  }

  #hasChanged(place: string, view: TaskView): boolean {
    const known = this.#known.get(place);
    return known === undefined || (known.view !== view && known.mark !== markOf(view));
  }

  /** Those that were not reported before. */
  #newOf(problems: readonly Problem[]): Problem[] {
    const fresh = problems.filter(({ message }) => !this.#reported.has(message));
    if (this.#reported.size > MOST_REMEMBERED) this.#reported.clear();
    for (const { message } of fresh) this.#reported.add(message);
    return fresh;
  }
}

/** A watch that runs for months does not remember all problems. */
const MOST_REMEMBERED = 10_000;

/** Differs if anything that a page shows of a task has changed, other than its logs. */
function markOf(view: TaskView): string {
  return createHash('sha256')
    .update(JSON.stringify(encodeTask(view)))
    .digest('base64');
}
