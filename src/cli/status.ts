import { encodeStatus } from '../contracts/encode-task.js';
import type { TaskRoot } from '../discovery/found.js';
import { UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { TaskBoard } from '../task/board.js';
import type { TaskView } from '../task/view.js';
import type { Style } from '../views/parts/style.js';
import { statusText, type Verbosity } from '../views/status.js';
import { noSuchTask, type RootFlags, tasksToLookAt } from './search.js';
import type { Terminal } from './terminal.js';
import { watchFrames } from './watch.js';

export interface StatusFlags extends RootFlags {
  only?: string;
  state?: readonly string[];
  verbosity: number;
  quiet: boolean;
  json: boolean;
  interval?: string;
}

export interface StatusAnswer {
  document: () => object;
  text: (style: Style) => string;
  /** Of the search and of the tasks. */
  problems: Problem[];
  exitCode: number;
  /** What to say on stderr if nothing is shown. */
  notice?: string;
}

/** One look at the tasks. Throws NotFoundError if a word means no task. */
export function lookAtStatus(
  words: readonly string[],
  flags: StatusFlags,
  board = new TaskBoard(),
): StatusAnswer {
  const host = Host.local();
  const selection = tasksToLookAt(flags, words);
  if (selection.unmatched.length > 0) throw noSuchTask(selection);
  const { only, state } = flags;
  const tasks = board
    .read(selection.selected, host)
    .filter((task) => only === undefined || task.phase === only)
    .filter((task) => state === undefined || state.includes(String(task.state)));
  const problems = [...selection.problems, ...tasks.flatMap((task) => task.problems)];
  return {
    document: () => encodeStatus(tasks, selection.roots, selection.problems),
    text: (style) => textOf(tasks, flags, style),
    problems,
    exitCode: tasks.length > 0 ? EXIT.ok : nothingFound(selection.problems),
    notice: tasks.length > 0 ? undefined : emptyNotice(selection.selected.length, selection.roots),
  };
}

function textOf(tasks: readonly TaskView[], { quiet, verbosity }: StatusFlags, style: Style): string {
  if (quiet) return tasks.map(({ task_id }) => `${task_id}\n`).join('');
  return statusText(tasks, verbosity as Verbosity, style);
}

/** A root that isn't there is a no; one that could not be read leaves the question open. */
function nothingFound(problems: readonly Problem[]): number {
  return hasError(problems.filter(({ code }) => code !== 'root-missing')) ? EXIT.partial : EXIT.no;
}

function emptyNotice(beforeFilter: number, roots: readonly TaskRoot[]): string {
  if (beforeFilter > 0) return `None of the ${beforeFilter} tasks is in the phase or state asked for.`;
  if (roots.length === 0) return "No task root was found; see 'thermos roots' and --root.";
  return `No tasks in ${roots.map(({ path }) => path).join(', ')}.`;
}

/** Shows the tasks again and again; ends with 130 or 143 by a signal. */
export function watchStatus(
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
  return watchFrames(terminal, seconds * 1000, (style) => {
    const answer = lookAtStatus(words, flags, board);
    if (flags.json) return { text: `${JSON.stringify(answer.document())}\n`, problems: [] };
    return { text: answer.text(style) || `${answer.notice ?? ''}\n`, problems: answer.problems };
  });
}
