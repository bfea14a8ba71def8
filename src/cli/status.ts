import { localTasks } from '../app/local-tasks.js';
import type { RootFlags } from '../app/search.js';
import { lookAtTasks, type StatusAnswer, type StatusQuery } from '../app/status.js';
import { keyOf, Ranking, type SortKey } from '../app/task-order.js';
import { encodeTask } from '../contracts/encode-task.js';
import type { TaskSearch } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { parseDuration } from '../text/duration.js';
import { jsonText } from '../text/json.js';
import { parseTime } from '../text/time.js';
import type { StatusColumn } from '../views/parts/status-columns.js';
import type { Verbosity } from '../views/status.js';
import type { Terminal } from './terminal.js';
import { type Frame, watchFrames } from './watch.js';

export interface StatusFlags extends RootFlags {
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

type Write = (text: string) => void;

/** Writes the tasks to stdout once. Rejects with NotFoundError if no word matches a task. */
export async function showStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
): Promise<StatusAnswer> {
  const page = await pageOf(flags, terminal, (text) => terminal.write(text));
  const query = queryOf(words, flags, terminal);
  const answer = await lookAtTasks(query, localTasks(flags), (view) => page.add(view));
  return { ...answer, notice: leftOutNotice(page.end(answer)) ?? answer.notice };
}

/** Shows the tasks repeatedly; a signal ends it with 130 or 143. */
export async function watchStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
): Promise<number> {
  const intervalMs = parseDuration(flags.interval ?? '2', 'interval', { least: '100ms', most: '1d' });
  const tasks = new WatchedTasks(words, flags, terminal);
  if (terminal.stdoutIsTerminal && !flags.json) {
    const { watchStatusList } = await import('./status-list.js');
    return watchStatusList(tasks, flags, terminal, intervalMs);
  }
  let frame: Frame | undefined;
  return watchFrames(terminal, intervalMs, async () => {
    const isNew = await tasks.look();
    if (frame !== undefined && !isNew) return frame;
    let text = '';
    const page = await pageOf(flags, terminal, (more) => {
      text += more;
    });
    for (const view of tasks.views) page.add(view);
    const { answer } = tasks;
    const leftOut = page.end(answer);
    frame = { text, problems: answer.problems, notice: leftOutNotice(leftOut) ?? answer.notice };
    return frame;
  });
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

  constructor(words: readonly string[], flags: StatusFlags, terminal: Terminal) {
    this.#words = words;
    this.#flags = flags;
    this.#terminal = terminal;
    this.#search = localTasks(flags).board(() => terminal.now());
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

function queryOf(
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

/** Takes the views of tasks. */
interface Page {
  add(task: TaskView): void;
  /** Writes what is not written yet. Returns how many of the tasks are not on the page. */
  end(answer: StatusAnswer): number;
}

/**
 * --json does not load the views: loading the code that measures text takes as long as reading ten tasks. Nor does it
 * wait for the last task, if no order or limit is given: each task is written when it is read.
 */
async function pageOf(flags: StatusFlags, terminal: Terminal, write: Write): Promise<Page> {
  const { json, quiet, verbosity, columns, wide, sort, reverse, limit } = flags;
  if (json) {
    const document = new Document(write);
    if (sort === undefined && !reverse && limit === undefined) return document;
    return ranked(flags, jsonOf, (tasks, answer, leftOut) => document.write(tasks, answer, leftOut));
  }
  const { idLine, StatusPage } = await import('../views/status.js');
  if (quiet) return ranked(flags, idLine, (lines) => write(lines.join('')));
  const options = {
    verbosity: verbosity as Verbosity,
    columns: columns as readonly StatusColumn[] | undefined,
    wide,
    uncut: flags['no-trunc'],
  };
  const page = new StatusPage(options, terminal.style(1));
  return ranked(
    flags,
    (task) => page.add(task),
    (items) => write(page.text(items)),
  );
}

/** Keeps of each task what `of` gives until the last one has been read; `end` writes those that are shown, in order. */
function ranked<T>(
  { sort, reverse, limit }: StatusFlags,
  of: (task: TaskView) => T,
  end: (items: readonly T[], answer: StatusAnswer, leftOut: number) => void,
): Page {
  const ranking = new Ranking<T>({ sort: sort as SortKey | undefined, reverse }, limit);
  return {
    add: (task) => ranking.add(keyOf(task), of(task)),
    end: (answer) => {
      const { leftOut } = ranking;
      end(ranking.items(), answer, leftOut);
      return leftOut;
    },
  };
}

function jsonOf(task: TaskView): string {
  return jsonText(encodeTask(task));
}

/** The document is written in pieces of this many characters. */
const PIECE = 64 * 1024;

/**
 * The document of `status`: one line, written in pieces, because it is long on a host with very many tasks, and no
 * task is needed once it is written.
 */
class Document implements Page {
  readonly #write: Write;
  #piece = '{"tasks":[';
  #separator = '';

  constructor(write: Write) {
    this.#write = write;
  }

  add(task: TaskView): void {
    this.#add(jsonOf(task));
  }

  end(answer: StatusAnswer): number {
    this.#end(answer, 0);
    return 0;
  }

  /** The whole document. */
  write(tasks: readonly string[], answer: StatusAnswer, leftOut: number): void {
    for (const task of tasks) this.#add(task);
    this.#end(answer, leftOut);
  }

  #add(json: string): void {
    this.#piece += this.#separator + json;
    this.#separator = ',';
    if (this.#piece.length < PIECE) return;
    this.#write(this.#piece);
    this.#piece = '';
  }

  #end({ roots, problemsOfSearch }: StatusAnswer, leftOut: number): void {
    const left = leftOut === 0 ? '' : `,"tasks_left_out":${leftOut}`;
    const rest = `]${left},"roots":${jsonText(roots)},"problems":${jsonText(problemsOfSearch)}}\n`;
    this.#write(this.#piece + rest);
  }
}
