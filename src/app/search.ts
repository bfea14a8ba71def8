import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import type { Mode } from '../discovery/find.js';
import type { FoundTask, TaskRoot } from '../discovery/found.js';
import { locatePaths } from '../discovery/relocate.js';
import type { DefaultRoots } from '../discovery/roots.js';
import { type SelectHooks, type Selection, selectTasks } from '../discovery/select.js';
import { NotFoundError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { LAYOUTS } from '../layout/layouts.js';
import { RUNNER } from '../layout/task-paths.js';
import { realPath } from '../store/look.js';
import { readHeader } from '../task/header.js';
import { rootOptions } from './root-options.js';

/** The flags of every command that say where to search. */
export interface RootFlags {
  root?: string[];
  'mesos-root'?: string[];
  /** To commands that change something, a word is an id, and no pattern or path. */
  exact?: boolean;
  /** From a file of defaults. */
  defaultRoots?: DefaultRoots;
}

/**
 * The tasks that TASK words mean to a command that only reads; without words, all tasks. `discover`: finds them, for
 * callers that look repeatedly.
 */
export function tasksToLookAt(
  flags: RootFlags,
  words: readonly string[],
  mode: Exclude<Mode, 'change'> = 'look',
  discover?: SelectHooks['discover'],
): Selection {
  return selectTasks(rootOptions(flags), words, mode, { sandboxOf, discover });
}

/**
 * The tasks that TASK words mean to a command that changes them: whole ids, each in one root. Throws UsageError
 * `ambiguous-task` for an id that is in several roots. With `exact`, patterns and paths mean nothing.
 */
export function tasksToChange(flags: RootFlags, words: readonly string[]): Selection {
  const mode = flags.exact === true ? 'exact' : 'change';
  return selectTasks(rootOptions(flags), words, mode, { sandboxOf });
}

/** The one task that a word matches. Throws NotFoundError, UsageError `ambiguous-task`. */
export function onlyTask(word: string, selection: Selection): FoundTask {
  const [found, ...others] = selection.selected;
  if (found === undefined) throw noSuchTask(selection);
  if (others.length === 0) return found;
  throw notOneTask(
    word,
    selection.selected.map(({ task_id }) => task_id),
  );
}

/** The error for a word that matches several tasks, or for no word where there is not exactly one task. */
export function notOneTask(word: string | undefined, ids: readonly string[]): UsageError {
  if (ids.length === 0) return new UsageError('task-missing', 'no task is named, and there is none here');
  if (word === undefined) {
    return new UsageError('task-missing', 'no task is named', `there are ${firstOf(ids)}`);
  }
  return new UsageError(
    'ambiguous-task',
    `'${word}' matches ${ids.length} tasks`,
    `name one of ${firstOf(ids)}`,
  );
}

const MOST_LISTED = 10;

/** The first ids, for a message. */
export function firstOf(ids: readonly string[]): string {
  return `${ids.slice(0, MOST_LISTED).join(', ')}${ids.length > MOST_LISTED ? ', …' : ''}`;
}

/** Where a task's sandbox is here, by the header of its stream. */
function sandboxOf(task: FoundTask): string | undefined {
  const header = readHeader(`${task.checkpoint_dir}/${RUNNER}`, LAYOUTS[task.root.layout].base(task.root));
  return locatePaths({ sandbox: header?.sandbox }, task, realPath).sandbox?.path;
}

/** The error for words that match no task. */
export function noSuchTask({
  unmatched,
  roots,
  problems,
  agents,
  masters,
  access,
}: Selection): NotFoundError {
  const words = unmatched.map(({ word }) => `'${word}'`).join(', ');
  const near = unmatched.flatMap((each) => each.near);
  const asked = masters === undefined ? { agent: agents, access } : { master: masters, access };
  const flags = agents === undefined ? rootFlagsOf(...roots) : asked;
  const [status, places] = ['status', 'roots'].map((id) => thermosCommand([id], flags));
  const hint =
    near.length > 0
      ? `did you mean ${near.slice(0, 3).join(' or ')}?`
      : `see the tasks, and the roots that were searched: ${status}; ${places}`;
  const error = new NotFoundError(
    'task-not-found',
    `no task matches ${words}${whereOf(roots, agents, problems)}`,
    hint,
    problems,
    agents !== undefined && hasError(problems) ? EXIT.partial : EXIT.no,
  );
  error.agents = agents;
  return error;
}

/** Like `noSuchTask`, but one problem per word, for when other words match tasks. */
export function missingTasks({ unmatched, roots, agents, problems }: Selection): Problem[] {
  return unmatched.map(({ word, near }) => ({
    code: 'task-not-found',
    severity: 'error',
    message: `no task matches '${word}'${whereOf(roots, agents, problems)}`,
    hint: near.length > 0 ? `did you mean ${near.slice(0, 3).join(' or ')}?` : undefined,
  }));
}

/** Empty if all words were paths: then no root was searched. */
function whereOf(
  roots: readonly TaskRoot[],
  agents: readonly string[] | undefined,
  problems: readonly Problem[],
): string {
  if (agents !== undefined) {
    const silent = new Set(problems.map(({ agent, severity }) => (severity === 'error' ? agent : undefined)));
    const answered = agents.filter((agent) => !silent.has(agent));
    if (answered.length === agents.length && agents.length > 0) return ` on ${whereAgents(agents)}`;
    if (answered.length === 0) return ': no agent answered';
    return answered.length === 1
      ? ` on ${answered[0]}, the only agent that answered`
      : ` on the ${answered.length} agents that answered`;
  }
  if (roots.length === 0) return '';
  return roots.length === 1 ? ` in ${roots[0]?.path}` : ` in ${roots.length} roots`;
}

/** The agents that were asked, for a message. */
export function whereAgents(agents: readonly string[]): string {
  return agents.length === 1 ? `the agent ${agents[0]}` : `${agents.length} agents`;
}
