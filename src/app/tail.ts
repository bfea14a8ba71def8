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
}

/** Prints the logs of the tasks that the word matches; without a word, of the only task. See `tailLogs`. */
export async function tailNamed(
  word: string | undefined,
  options: TailOptions,
  ports: TailPorts,
  shell: FollowShell,
): Promise<number> {
  return tailLogs(await sourcesOf(word, ports), options, shell);
}

/** Finds the files of those logs; see `findLogPaths`. */
export async function logPathsNamed(
  word: string | undefined,
  choice: LogChoice,
  ports: TailPorts,
): Promise<{ paths: LogPath[]; problems: Problem[] }> {
  return findLogPaths(await sourcesOf(word, ports), choice);
}

async function sourcesOf(
  word: string | undefined,
  { gatherer, logsOf }: TailPorts,
): Promise<TaskViewSource[]> {
  const selection = await gatherer.find(word === undefined ? [] : [word], 'look');
  if (selection.unmatched.length > 0) throw noSuchTask(selection);
  const { selected } = selection;
  if (word === undefined && selected.length !== 1) {
    throw notOneTask(
      word,
      selected.map(({ task_id }) => task_id),
    );
  }
  return selected.map((found) => new TaskViewSource(gatherer.source(found), logsOf));
}
