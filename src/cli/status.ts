import { missingTasks, noSuchTask, type RootFlags, tasksToLookAt } from '../app/search.js';
import { encodeTask } from '../contracts/encode-task.js';
import type { FoundTask, TaskRoot } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import { UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { readTasks, TaskBoard } from '../task/board.js';
import type { TaskView } from '../task/view.js';
import { jsonText } from '../text/json.js';
import type { Verbosity } from '../views/status.js';
import type { Terminal } from './terminal.js';
import { type Frame, watchFrames } from './watch.js';

export interface StatusFlags extends RootFlags {
  only?: string;
  state?: readonly string[];
  verbosity: number;
  quiet: boolean;
  json: boolean;
  interval?: string;
}

export interface StatusAnswer {
  /** Of the search and of the tasks. */
  problems: Problem[];
  exitCode: number;
  /** What to say on stderr if nothing is shown. */
  notice?: string;
}

type ReadTasks = (tasks: Iterable<FoundTask>, host: Host) => Iterable<TaskView>;

/** The view, which --json does without: loading what measures text costs as long as reading ten tasks. */
const loadView = () => import('../views/status.js');
type View = Awaited<ReturnType<typeof loadView>>;

/** One look at the tasks, written to stdout. Rejects with NotFoundError if no word means a task. */
export async function showStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
): Promise<StatusAnswer> {
  const look = lookAtStatus(words, flags, readTasks);
  if (flags.json) for (const piece of look.json()) terminal.write(piece);
  else terminal.write(look.text(terminal, await loadView()));
  return look.answer();
}

/** Shows the tasks again and again; ends with 130 or 143 by a signal. */
export async function watchStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
): Promise<number> {
  const seconds = Number(flags.interval ?? 2);
  if (!(seconds >= 0.1 && seconds <= 86_400)) {
    throw new UsageError(
      'usage',
      `--interval ${flags.interval} is not a number of seconds from 0.1 to 86400`,
    );
  }
  const board = new TaskBoard();
  const view = await loadView();
  return watchFrames(terminal, { intervalMs: seconds * 1000, lines: flags.json }, (): Frame => {
    const look = lookAtStatus(words, flags, (tasks, host) => board.read(tasks, host));
    const text = flags.json ? [...look.json()].join('') : look.text(terminal, view);
    return { text, ...look.answer() };
  });
}

/** `answer` is known once `json` or `text` was taken to its end. */
interface Look {
  json: () => Generator<string>;
  text: (terminal: Terminal, view: View) => string;
  answer: () => StatusAnswer;
}

function lookAtStatus(words: readonly string[], flags: StatusFlags, read: ReadTasks): Look {
  const host = Host.local();
  const selection = tasksToLookAt(flags, words);
  const { selected, roots, unmatched } = selection;
  if (unmatched.length > 0 && selected.length === 0) throw noSuchTask(selection);
  const ofSearch = [...selection.problems, ...missingTasks(selection)];
  const problems = [...ofSearch];
  const counts = new Map<TaskRoot, number>(roots.map((root) => [root, 0]));
  let shown = 0;
  function* views(): Generator<TaskView> {
    for (const task of read(selected, host)) {
      if (flags.only !== undefined && task.phase !== flags.only) continue;
      if (flags.state !== undefined && !flags.state.includes(String(task.state))) continue;
      shown += 1;
      counts.set(task.root, (counts.get(task.root) ?? 0) + 1);
      for (const problem of task.problems) problems.push(problem);
      yield task;
    }
  }
  return {
    json: () => documentInPieces(views(), counts, ofSearch),
    text: (terminal, view) => {
      if (flags.quiet) return view.idsText([...views()]);
      return view.statusText(views(), flags.verbosity as Verbosity, terminal.style(1));
    },
    answer: () => ({
      problems,
      exitCode: exitCodeOf(shown, selection),
      notice: shown > 0 ? undefined : emptyNotice(selected.length, roots),
    }),
  };
}

/** How much of the document is put together before it is written. */
const PIECE = 64 * 1024;

/**
 * The document of `status`, one line, in pieces: of a host with very many tasks it is long, and none of them
 * is needed when the next one is written. `problems` are those of the search; a task has its own.
 */
function* documentInPieces(
  tasks: Iterable<TaskView>,
  counts: ReadonlyMap<TaskRoot, number>,
  problems: readonly Problem[],
): Generator<string> {
  let piece = '{"tasks":[';
  let separator = '';
  for (const task of tasks) {
    piece += separator + jsonText(encodeTask(task));
    separator = ',';
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  const roots = [...counts].map(([{ path, layout }, count]) => ({ path, layout, tasks: count }));
  yield `${piece}],"roots":${jsonText(roots)},"problems":${jsonText(problems)}}\n`;
}

/** A root that isn't there is a no; one that could not be read leaves the question open. */
function exitCodeOf(shown: number, { problems, unmatched }: Selection): number {
  if (unmatched.length > 0) return EXIT.no;
  if (shown > 0) return EXIT.ok;
  return hasError(problems.filter(({ code }) => code !== 'root-missing')) ? EXIT.partial : EXIT.no;
}

function emptyNotice(beforeFilter: number, roots: readonly TaskRoot[]): string {
  if (beforeFilter > 0) return `None of the ${beforeFilter} tasks is in the phase or state asked for.`;
  if (roots.length === 0) return "No task root was found; see 'thermos roots' and --root.";
  return `No tasks in ${roots.map(({ path }) => path).join(', ')}.`;
}
