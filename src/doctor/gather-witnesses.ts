import { lstatSync } from 'node:fs';
import type { Host } from '../host/host.js';
import type { TaskView } from '../task/view.js';
import { readSmallFile } from './file-tail.js';
import { parseTaskUpdates } from './mesos-info.js';
import type { Witnesses } from './story.js';

/** What stands beside the streams of a task: the agent's notes, and when files were moved. What isn't there says nothing. */
export function gatherWitnesses(view: TaskView, host: Host, now: number): Witnesses {
  const { found, root, phase, task_id } = view;
  const witnesses: Witnesses = { now, bootTimeMs: host.bootTimeMs };
  if (phase === 'finished' && found.task_file !== undefined) witnesses.movedMs = mtimeOf(found.task_file);
  const at = root.mesos === undefined ? -1 : (root.run_dir?.lastIndexOf('/slaves/') ?? -1);
  if (root.run_dir === undefined || at === -1) return witnesses;
  const meta = `${root.run_dir.slice(0, at)}/meta${root.run_dir.slice(at)}`;
  const path = `${meta}/tasks/${task_id}/task.updates`;
  const updates = readSmallFile(path);
  if (updates !== undefined) witnesses.updates = { path, updates: parseTaskUpdates(updates) };
  const mtimeMs = mtimeOf(`${meta}/executor.sentinel`);
  if (mtimeMs !== undefined) witnesses.sentinel = { path: `${meta}/executor.sentinel`, mtimeMs };
  return witnesses;
}

function mtimeOf(path: string): number | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  } catch {
    return undefined;
  }
}
