import { rootOptions } from '../../app/root-options.js';
import { discover } from '../../discovery/discover.js';
import type { FoundTask } from '../../discovery/found.js';
import { LAYOUTS } from '../../layout/layouts.js';
import { MOST_ENTRIES } from '../../layout/limits.js';
import { processOfName } from '../../layout/task-paths.js';
import { listDirectory } from '../../store/list.js';
import { readTaskFile } from '../../task/task-file.js';
import type { CompletionSource, GivenRoots } from './complete.js';

/** Ids and processes of this host, from directories and task files alone: no stream is read. */
export const HOST_SOURCE: CompletionSource = {
  taskIds: (roots) => tasks(roots).map(({ task_id }) => task_id),
  processes: (taskId, roots) =>
    tasks(roots)
      .filter(({ task_id }) => task_id === taskId)
      .flatMap((task) => [...planned(task), ...started(task)]),
};

function tasks(roots: GivenRoots) {
  return discover({ ...rootOptions(roots), fromCwd: true }).tasks;
}

function planned({ task_file, root }: FoundTask): string[] {
  if (task_file === undefined) return [];
  const { config } = readTaskFile(task_file, { below: LAYOUTS[root.layout].base(root), as: 'owner' });
  return config?.processes.map(({ name }) => name) ?? [];
}

/** Those of which there is a coordinator's stream. */
function started({ checkpoint_dir, root }: FoundTask): string[] {
  try {
    const below = LAYOUTS[root.layout].base(root);
    return listDirectory(checkpoint_dir, { below, max: MOST_ENTRIES.other })
      .entries.map(({ name }) => processOfName(name))
      .filter((process) => process !== undefined);
  } catch {
    // A completion has no place to say so; `tail` will.
    return [];
  }
}
