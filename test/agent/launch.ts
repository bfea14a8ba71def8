import { join } from 'node:path';
import { type TaskFiles, writeTask } from '../task/trees.js';
import type { Agent } from './agent.js';

/** Writes a task into a sandbox of its own, whose executor the agent runs or has run. Returns its root. */
export function launchTask(agent: Agent, id: string, files: TaskFiles = {}, isRunning = true): string {
  const run = join(agent.workDir, 'slaves', agent.id, 'frameworks/F/executors', `thermos-${id}`, 'runs', id);
  const root = join(run, 'checkpoints');
  writeTask(root, id, files);
  const executorId = `thermos-${id}`;
  agent.launch({ frameworkId: 'F', executorId, containerId: id, path: run, directory: run, isRunning });
  return root;
}
