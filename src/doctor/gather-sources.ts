import type { Host } from '../host/host.js';
import { LAYOUTS } from '../layout/layouts.js';
import { agentPaths, notePaths, workDirAround } from '../layout/mesos.js';
import { statFile } from '../store/look.js';
import type { TaskView } from '../task/view.js';
import { readSmallFile } from './file-tail.js';
import { parseTaskUpdates } from './mesos-info.js';
import type { TimelineSources } from './timeline.js';

/** Gathers what is known about a task besides its streams: the agent's notes, and when files were moved. */
export function gatherSources(view: TaskView, host: Host, now: number): TimelineSources {
  const { found, root, phase, task_id } = view;
  const sources: TimelineSources = { now, bootTimeMs: host.bootTimeMs };
  if (phase === 'finished' && found.task_file !== undefined) {
    sources.movedMs = mtimeOf(found.task_file, LAYOUTS[root.layout].base(root));
  }
  const { mesos, run_dir } = root;
  const workDir = mesos === undefined || run_dir === undefined ? undefined : workDirAround(run_dir);
  if (workDir === undefined || run_dir === undefined) return sources;
  const { meta } = agentPaths(workDir);
  const notes = notePaths(workDir, run_dir);
  const path = notes.updates(task_id);
  const updates = readSmallFile(path, { below: meta });
  if (updates !== undefined) sources.updates = { path, updates: parseTaskUpdates(updates) };
  const mtimeMs = mtimeOf(notes.sentinel, meta);
  if (mtimeMs !== undefined) sources.sentinel = { path: notes.sentinel, mtimeMs };
  return sources;
}

function mtimeOf(path: string, below: string): number | undefined {
  try {
    return statFile(path, { below })?.mtimeMs;
  } catch {
    return undefined;
  }
}
