import type { FoundTask } from '../discovery/found.js';
import { isPathWord } from '../discovery/task-path.js';
import type { Problem } from '../errors/problem.js';
import type { FollowShell } from '../logs/follower.js';
import type { LogPath } from '../logs/log-paths.js';
import type { LogsOf } from '../logs/log-tree.js';
import { findLogPaths, type LogChoice, type TailOptions, tailLogs } from '../logs/tail.js';
import { TaskViewSource } from '../logs/task-view-source.js';
import type { TaskGatherer } from '../task/gatherer.js';
import { noSuchTask, notOneTask } from './search.js';

export interface TailPorts {
  gatherer: TaskGatherer;
  logsOf: LogsOf;
  /** The clock, in milliseconds since the epoch. */
  now: () => number;
}

/**
 * Prints the logs of the tasks that the word matches; without a word, of the only task. See `tailLogs`. A word that is a
 * pattern, or that matches several tasks, is searched again while they are followed.
 */
export async function tailNamed(
  word: string | undefined,
  options: Omit<TailOptions, 'newTasks'>,
  ports: TailPorts,
  shell: FollowShell,
): Promise<number> {
  const found = await tasksOf(word, ports);
  const newTasks =
    word !== undefined && mayMatchMore(word, found) ? laterTasks(word, found, ports) : undefined;
  return tailLogs(sourcesOf(found, ports), { ...options, newTasks }, shell);
}

/** Prints the logs of a task that is found already; see `tailLogs`. */
export function tailFound(
  found: FoundTask,
  options: Omit<TailOptions, 'newTasks'>,
  ports: TailPorts,
  shell: FollowShell,
): Promise<number> {
  return tailLogs(sourcesOf([found], ports), options, shell);
}

/** Whether a task that starts later may be meant, too: not by a path or the id of a task. */
function mayMatchMore(word: string, found: readonly FoundTask[]): boolean {
  if (isPathWord(word) || found.some(({ task_id }) => task_id === word)) return false;
  return found.length > 1 || /[*?+|^$()[\]{}\\]/.test(word);
}

function laterTasks(word: string, found: readonly FoundTask[], ports: TailPorts): TailOptions['newTasks'] {
  const { gatherer } = ports;
  const keyOf = ({ root, task_id }: FoundTask) => `${root.path}\n${task_id}`;
  const known = new Set(found.map(keyOf));
  const board = gatherer.board(ports.now);
  return async () => {
    const { selected } = await board.find([word], 'look');
    const later = selected.filter((task) => !known.has(keyOf(task)));
    for (const task of later) known.add(keyOf(task));
    return sourcesOf(later, ports);
  };
}

/** Finds the files of those logs; see `findLogPaths`. */
export async function logPathsNamed(
  word: string | undefined,
  choice: LogChoice,
  ports: TailPorts,
): Promise<{ paths: LogPath[]; problems: Problem[] }> {
  return findLogPaths(sourcesOf(await tasksOf(word, ports), ports), choice);
}

function sourcesOf(found: readonly FoundTask[], { gatherer, logsOf }: TailPorts): TaskViewSource[] {
  return found.map((task) => new TaskViewSource(gatherer.source(task), logsOf));
}

async function tasksOf(word: string | undefined, { gatherer }: TailPorts): Promise<FoundTask[]> {
  const selection = await gatherer.find(word === undefined ? [] : [word], 'look');
  if (selection.unmatched.length > 0) throw noSuchTask(selection);
  const { selected } = selection;
  if (word === undefined && selected.length !== 1) {
    throw notOneTask(
      word,
      selected.map(({ task_id }) => task_id),
    );
  }
  return selected;
}
