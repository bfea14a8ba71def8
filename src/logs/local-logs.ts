import { LAYOUTS } from '../layout/layouts.js';
import { isWithin } from '../store/paths.js';
import { ownerReader } from '../task/owner-reader.js';
import type { TaskView } from '../task/view.js';
import { LocalLogTree, type LogAccess } from './local-log-tree.js';
import type { LogTree } from './log-tree.js';

/** The logs of a task on this host. */
export function localLogs(view: TaskView): LogTree {
  return new LocalLogTree(logAccess(view, process.geteuid?.() ?? 0));
}

/**
 * How the logs of a task are opened. No link is followed below the root, or in a log directory elsewhere. Root reads
 * only what the owner of the task's tree could read, because that user may have written the path of the logs: the
 * owner of the checkpoint directory, else the user of the task. A path from a sandbox can't lead out of it.
 */
function logAccess(view: TaskView, euid: number): LogAccess {
  const { path = '/' } = view.log_dir ?? {};
  const layout = LAYOUTS[view.root.layout];
  const base = layout.base(view.root);
  const below = layout.ownsSandboxes || isWithin(path, base) ? base : path;
  return euid === 0 ? { below, as: ownerReader(view, base) ?? 'owner' } : { below };
}
