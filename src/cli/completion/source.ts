import { readdirSync } from 'node:fs';
import { discover } from '../../discovery/discover.js';
import { readTaskFile } from '../../task/task-file.js';
import { rootOptions } from '../root-options.js';
import type { CompletionSource, GivenRoots } from './complete.js';

/** Ids and processes of this host, from directories and task files alone: no stream is read. */
export const HOST_SOURCE: CompletionSource = {
  taskIds: (roots) => tasks(roots).map(({ task_id }) => task_id),
  processes: (taskId, roots) =>
    tasks(roots)
      .filter(({ task_id }) => task_id === taskId)
      .flatMap(({ task_file, checkpoint_dir }) => [...planned(task_file), ...started(checkpoint_dir)]),
};

function tasks(roots: GivenRoots) {
  return discover({ ...rootOptions(roots), fromCwd: true }).tasks;
}

function planned(taskFile: string | undefined): string[] {
  if (taskFile === undefined) return [];
  return readTaskFile(taskFile).config?.processes.map(({ name }) => name) ?? [];
}

/** Those of which there is a coordinator's stream. */
function started(checkpointDir: string): string[] {
  const prefix = 'coordinator.';
  try {
    return readdirSync(checkpointDir)
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length));
  } catch {
    // A completion has no place to say so; `tail` will.
    return [];
  }
}
