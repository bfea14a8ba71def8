import { join } from 'node:path';
import { localTasks } from '../../src/app/local-tasks.js';
import { Host } from '../../src/host/host.js';
import { localLogs } from '../../src/logs/local-logs.js';
import type { LogsOf } from '../../src/logs/log-tree.js';
import type { TaskGatherer } from '../../src/task/gatherer.js';
import { FIXTURES } from '../e2e/harness.js';
import { makeProc } from '../task/trees.js';
import { MemoryFiles, MemoryTasks } from './memory-tasks.js';

/** Trees with a bare root, and what is special about them. */
export const TREES = [
  'host',
  'checkpoints/chain-5',
  'checkpoints/coordinator-killed',
  'checkpoints/daemon-restart-interrupted',
  'checkpoints/live-active',
  'checkpoints/damaged-fs-checkpoint-gone',
  'checkpoints/damaged-only-header',
  'checkpoints/damaged-prefix-1',
];

export interface Gathering {
  gatherer: TaskGatherer;
  logsOf: LogsOf;
  now: () => number;
}

/** The files of a tree, gathered on this host; `temp` is for a made-up /proc on which no runner lives. */
export function gatheredHere(tree: string, temp: string): Gathering {
  const proc = makeProc(join(temp, 'proc'), { locks: '' });
  const host = () => Host.local({ proc, passwd: '/nonexistent' });
  return { gatherer: localTasks({ root: [join(tree, 'root')] }, host), logsOf: localLogs, now: Date.now };
}

/** The same files as another host has them. */
export function gatheredLate(tree: string, seed = 1): Gathering & { gatherer: MemoryTasks } {
  const gatherer = new MemoryTasks(join(tree, 'root'), MemoryFiles.of(tree), seed);
  return { gatherer, logsOf: () => gatherer.logs(), now: Date.now };
}

export function treeOf(name: string): string {
  return join(FIXTURES, name);
}
