import { localTasks } from '../app/local-tasks.js';
import { lookAtTasks, type StatusAnswer } from '../app/status.js';
import { keyOf, Ranking, type SortKey } from '../app/task-order.js';
import type { TaskUses } from '../app/task-uses.js';
import { encodeTask } from '../contracts/encode-task.js';
import { UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import { parseDuration } from '../text/duration.js';
import { jsonText } from '../text/json.js';
import { MEASURED_COLUMNS } from '../views/parts/status-columns.js';
import type { StatusPageOptions } from '../views/status.js';
import { agentsOf } from './agents.js';
import type { Terminal } from './terminal.js';
import { type Frame, watchFrames } from './watch.js';
import { leftOutNotice, pageOptions, queryOf, type StatusFlags, WatchedTasks } from './watched-tasks.js';

type WriteText = (text: string) => void;

/**
 * Writes the tasks to stdout once. `known`: problems that were reported before, for the document. Rejects with
 * NotFoundError if no word matches a task.
 */
export async function showStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
  known: readonly Problem[],
): Promise<StatusAnswer> {
  const measured = measuredColumns(flags);
  const meter = measured.length === 0 ? undefined : await meterOf(measured, terminal);
  const page = await pageOf({ ...flags, known }, terminal, (text) => terminal.write(text), meter?.useOf);
  const query = queryOf(words, flags, terminal);
  const agents = await agentsOf(flags, terminal, words);
  try {
    const gatherer = agents?.gatherer ?? localTasks(flags);
    const answer = await lookAtTasks(query, gatherer, (view) => {
      meter?.add(view);
      page.add(view);
    });
    agents?.close();
    const notice = leftOutNotice(page.end(answer)) ?? answer.notice;
    return { ...answer, problems: [...answer.problems, ...(meter?.problems() ?? [])], notice };
  } finally {
    agents?.close();
  }
}

/** Measures the tasks all at once, when the first one is shown. */
async function meterOf(columns: readonly string[], terminal: Terminal) {
  const [{ usesHere }, { DISK_BUDGETS }] = await Promise.all([
    import('./uses.js'),
    import('../app/task-uses.js'),
  ]);
  const views: TaskView[] = [];
  const budget = columns.includes('disk') ? DISK_BUDGETS.status : undefined;
  let found: TaskUses | undefined;
  return {
    add: (view: TaskView) => {
      if (view.phase === 'active') views.push(view);
    },
    useOf: (task: string) => {
      found ??= usesHere(views, terminal.now(), budget);
      return found.uses.get(task);
    },
    problems: () => found?.problems ?? [],
  };
}

function measuredColumns({ columns = [] }: StatusFlags): string[] {
  return columns.filter((name) => MEASURED_COLUMNS.some((measured) => measured === name));
}

/** Shows the tasks repeatedly; a signal ends it with 130 or 143. */
export async function watchStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
  known: readonly Problem[],
): Promise<number> {
  if (measuredColumns(flags).length > 0) {
    const shown = MEASURED_COLUMNS.join(', ');
    throw new UsageError(
      'usage',
      `--watch cannot show the columns ${shown}`,
      "'thermos top' shows what changes",
    );
  }
  const intervalMs = parseDuration(flags.interval ?? '2', 'interval', { least: '100ms', most: '1d' });
  const agents = await agentsOf(flags, terminal, words);
  const gatherer = agents?.gatherer ?? localTasks(flags);
  const tasks = new WatchedTasks(
    words,
    flags,
    terminal,
    gatherer.board(() => terminal.now()),
  );
  if (terminal.stdoutIsTerminal && !terminal.isDumb && !flags.json) {
    const { watchStatusList } = await import('./status-list.js');
    return watchStatusList(tasks, flags, terminal, intervalMs);
  }
  let frame: Frame | undefined;
  return watchFrames(terminal, intervalMs, async () => {
    const isNew = await tasks.look();
    if (frame !== undefined && !isNew) return frame;
    let text = '';
    const page = await pageOf({ ...flags, known }, terminal, (more) => {
      text += more;
    });
    for (const view of tasks.views) page.add(view);
    const { answer } = tasks;
    const leftOut = page.end(answer);
    frame = { text, problems: answer.problems, notice: leftOutNotice(leftOut) ?? answer.notice };
    return frame;
  });
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
async function pageOf(
  flags: StatusFlags & { known: readonly Problem[] },
  terminal: Terminal,
  write: WriteText,
  useOf?: StatusPageOptions['useOf'],
): Promise<Page> {
  const { json, quiet, sort, reverse, limit, known } = flags;
  if (json) {
    const document = new Document(write, known);
    if (sort === undefined && !reverse && limit === undefined) return document;
    return ranked(flags, jsonOf, (tasks, answer, leftOut) => document.write(tasks, answer, leftOut));
  }
  const { idLine, StatusPage } = await import('../views/status.js');
  if (quiet) return ranked(flags, idLine, (lines) => write(lines.join('')));
  const page = new StatusPage({ ...pageOptions(flags), useOf }, terminal.style(1));
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
  readonly #write: WriteText;
  readonly #known: readonly Problem[];
  #piece = '{"tasks":[';
  #separator = '';

  constructor(write: WriteText, known: readonly Problem[]) {
    this.#write = write;
    this.#known = known;
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
    const rest = `]${left},"roots":${jsonText(roots)},"problems":${jsonText([...this.#known, ...problemsOfSearch])}}\n`;
    this.#write(this.#piece + rest);
  }
}
