import { type DiffAnswer, diff, type Side, taskSide } from '../app/diff.js';
import { localTasks } from '../app/local-tasks.js';
import type { RootFlags } from '../app/search.js';
import { encodeDiff } from '../contracts/encode-diff.js';
import { NotFoundError } from '../errors/errors.js';
import type { TaskView } from '../task/view.js';
import { diffText } from '../views/diff.js';
import type { Style } from '../views/parts/style.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import {
  type ConfigFlags,
  hasConfigFlag,
  mayMeanConfig,
  namesConfig,
  namesFile,
  refuseConfigFlags,
} from './config-target.js';
import type { Terminal } from './terminal.js';

export type DiffFlags = RootFlags & ConfigFlags & AgentFlags;

export interface ShownDiff extends Pick<DiffAnswer, 'problems' | 'exitCode'> {
  document: object;
  text: (style: Style) => string;
}

/**
 * Compares what two words mean: tasks on disk, or configs. A config beside a task is filled in as a run of that task
 * would do it: with its id, its user and its ports, unless the flags give others.
 */
export async function diffTargets(
  words: readonly [string, string],
  flags: DiffFlags,
  terminal: Terminal,
): Promise<ShownDiff> {
  if (hasConfigFlag(flags)) (await import('./config.js')).requestOf(flags);
  const agents = await agentsOf(flags, terminal, words);
  const gatherer = agents?.gatherer ?? localTasks(flags);
  const tasks: (Side | undefined)[] = [];
  for (const word of words) {
    tasks.push(await onDisk(word, (strictly) => taskSide(word, gatherer, strictly)));
  }
  agents?.close();
  if (!tasks.includes(undefined)) refuseConfigFlags(flags, 'both words mean tasks');
  const view = tasks.find((side) => side !== undefined)?.view;
  const sides: Side[] = [];
  for (const [i, word] of words.entries())
    sides.push(tasks[i] ?? (await configSide(word, flags, view, terminal)));
  const [a, b] = sides as [Side, Side];
  const answer = diff(a, b, terminal.now());
  return { ...answer, document: encodeDiff(answer), text: (style) => diffText(answer, style) };
}

/** Undefined if the word means a config. */
async function onDisk(word: string, find: (strictly: boolean) => Promise<Side>): Promise<Side | undefined> {
  if (namesConfig(word)) return undefined;
  try {
    return await find(namesFile(word));
  } catch (error) {
    if (!(error instanceof NotFoundError) || !mayMeanConfig(word)) throw error;
    return undefined;
  }
}

async function configSide(
  path: string,
  flags: DiffFlags,
  view: TaskView | undefined,
  terminal: Terminal,
): Promise<Side> {
  const { configToCompare } = await import('./config.js');
  if (view === undefined) return configToCompare(path, flags, undefined, terminal);
  const { task_id, user, ports = {} } = view;
  return configToCompare(path, flags, { task_id, user, ports }, terminal);
}
