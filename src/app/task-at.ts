import type { FoundTask } from '../discovery/found.js';
import { rootAt } from '../discovery/roots.js';
import { pathsOf } from '../layout/task-paths.js';

/** The active task at this place, as its runner knows it. */
export function taskAt(root: string, task_id: string): FoundTask {
  const { active, directory } = pathsOf({ root, taskId: task_id });
  return {
    task_id,
    root: rootAt(root, '--root', false),
    phase: 'active',
    task_file: active,
    checkpoint_dir: directory,
    problems: [],
  };
}
