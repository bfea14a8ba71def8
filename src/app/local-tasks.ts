import { discover } from '../discovery/discover.js';
import type { FoundTask } from '../discovery/found.js';
import { Host } from '../host/host.js';
import { LAYOUTS } from '../layout/layouts.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { rootPaths } from '../layout/root-paths.js';
import { pathsOf, processOfName } from '../layout/task-paths.js';
import { listDirectory } from '../store/list.js';
import { presenceOf } from '../store/look.js';
import { readTasks, TaskBoard } from '../task/board.js';
import type { TaskGatherer, TaskSource } from '../task/gatherer.js';
import { TaskReader } from '../task/reader.js';
import { readTaskFile } from '../task/task-file.js';
import { RepeatedSearch } from './repeated-search.js';
import { rootOptions } from './root-options.js';
import { type RootFlags, tasksToChange, tasksToLookAt } from './search.js';

/**
 * The tasks of this host, in the roots that the flags name; every answer is immediate. `look`: gives the current state
 * of this machine.
 */
export function localTasks(flags: RootFlags, look: () => Host = Host.snapshots()): TaskGatherer {
  return {
    find: (words, mode) =>
      mode === 'change' ? tasksToChange(flags, words) : tasksToLookAt(flags, words, mode),
    all: () => discover({ ...rootOptions(flags), fromCwd: true }).tasks,
    views: (tasks) => readTasks(tasks, look()),
    board: (now) => {
      const board = new TaskBoard();
      const search = new RepeatedSearch(flags, now);
      return {
        find: (words, mode) => search.find(words, mode),
        views: (tasks) => board.read(tasks, look()),
        mayHaveChanged: () => search.mayHaveChanged() || board.mayHaveChanged(),
      };
    },
    source: (task) => localSource(task, look),
    processNames: (task) => [...planned(task), ...started(task)],
  };
}

function localSource(task: FoundTask, look: () => Host): TaskSource {
  const reader = new TaskReader(task, { history: true });
  let found = task;
  return {
    streams: task.checkpoint_dir,
    taskFiles: rootPaths(task.root.path).active,
    read: () => {
      found = withMovedFile(found);
      return reader.read(look(), found);
    },
  };
}

/** The task file moves from `active` to `finished` when the task ends. */
function withMovedFile(found: FoundTask): FoundTask {
  if (found.phase === 'finished' || found.task_file === undefined) return found;
  if (presenceOf(found.task_file, 'no-follow') !== 'absent') return found;
  const { finished } = pathsOf({ root: found.root.path, taskId: found.task_id });
  const isThere = presenceOf(finished, 'no-follow') !== 'absent';
  return isThere ? { ...found, phase: 'finished', task_file: finished } : found;
}

function planned({ task_file, root }: FoundTask): string[] {
  if (task_file === undefined) return [];
  const { config } = readTaskFile(task_file, { below: LAYOUTS[root.layout].base(root), as: 'owner' });
  return config?.processes.map(({ name }) => name) ?? [];
}

/** The processes that have a coordinator's stream. */
function started({ checkpoint_dir, root }: FoundTask): string[] {
  try {
    const below = LAYOUTS[root.layout].base(root);
    return listDirectory(checkpoint_dir, { below, max: MOST_ENTRIES.other })
      .entries.map(({ name }) => processOfName(name))
      .filter((process) => process !== undefined);
  } catch {
    // A completion cannot report this; `tail` will.
    return [];
  }
}
