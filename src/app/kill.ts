import type { FoundTask } from '../discovery/found.js';
import { ThermosError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import type { Confirmation } from './confirmation.js';
import { type EndableTask, type EndOptions, type EndProgress, endTask, isDone } from './end-task.js';
import type { Progress } from './progress.js';
import { firstOf, missingTasks, noSuchTask, type RootFlags, tasksToChange } from './search.js';

export interface KillOptions extends EndOptions {
  readonly roots: RootFlags;
  /** Ids, patterns for whole ids, paths. */
  readonly words: readonly string[];
  /** Don't ask. */
  readonly yes: boolean;
  readonly dryRun: boolean;
}

export interface KillPorts {
  readonly confirmation: Confirmation<readonly TaskView[]>;
  readonly progress: Progress;
  task(found: FoundTask): EndableTask;
}

/** The outcome for one task. */
export interface Killed {
  readonly task_id: string;
  readonly root: string;
  readonly was: TaskView['state'];
  readonly now: TaskView['state'];
  readonly signalled: number[];
  /** It was over before the command. */
  readonly already: boolean;
}

export interface KillResult {
  readonly tasks: readonly Killed[];
  /** With `dryRun` what would be ended; else nothing. */
  readonly planned: readonly TaskView[];
  readonly problems: readonly Problem[];
  readonly exitCode: number;
}

/** How many tasks are ended at the same time. */
const TOGETHER = 16;

/**
 * Ends the tasks that the words match. Asks first about tasks that only a pattern matches. Throws NotFoundError if there
 * is none, UsageError `confirmation-needed` if nobody can be asked, and `not-confirmed` if the answer is no.
 */
export async function killTasks(options: KillOptions, ports: KillPorts): Promise<KillResult> {
  const { words, dryRun, yes } = options;
  const selection = tasksToChange(options.roots, words);
  if (selection.selected.length === 0) throw noSuchTask(selection);
  const tasks = selection.selected.map((found) => {
    const task = ports.task(found);
    return { task, view: task.look() };
  });
  const isNamed = ({ task_id }: TaskView) => words.some((word) => word === task_id || word.includes('/'));
  const toEnd = tasks.map(({ view }) => view).filter((view) => !isDone(view));
  // A pattern means tasks that can be ended. Tasks that are over are reported if they are named, or if there is no other.
  const chosen = tasks.filter(({ view }) => toEnd.length === 0 || isNamed(view) || !isDone(view));
  const problems = [...selection.problems, ...missingTasks(selection)];
  const exitCode = selection.unmatched.length > 0 ? EXIT.no : EXIT.ok;
  if (dryRun) {
    const killed = chosen.map(({ view }) => killedOf(view, view, []));
    return { tasks: killed, planned: toEnd, problems, exitCode: worse(problems, exitCode) };
  }
  if (!yes && toEnd.some((view) => !isNamed(view))) askFirst(toEnd, ports.confirmation);
  const killed = await endAll(chosen, options, ports.progress);
  for (const { problems: met } of killed) {
    for (const each of met) {
      // A process that was left alone may be the task's: then the task was not ended wholly.
      problems.push(each.code === 'signal-refused' ? { ...each, severity: 'error' } : each);
    }
  }
  return {
    tasks: killed.map((each) => each.killed),
    planned: [],
    problems,
    exitCode: worse(problems, exitCode),
  };
}

function worse(problems: readonly Problem[], exitCode: number): number {
  return hasError(problems.filter(({ code }) => code !== 'task-not-found')) ? EXIT.partial : exitCode;
}

function askFirst(tasks: readonly TaskView[], confirmation: KillPorts['confirmation']): void {
  const many = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}`;
  if (!confirmation.canAsk) {
    const ids = firstOf(tasks.map(({ task_id }) => task_id));
    throw new UsageError(
      'confirmation-needed',
      `the pattern matches ${many}: ${ids}`,
      'give --yes to end them, or --dry-run to see them',
    );
  }
  if (confirmation.confirm(`End ${many}?`, tasks)) return;
  throw new ThermosError('not-confirmed', 'nothing was done', { exitCode: EXIT.no });
}

type ToEnd = readonly { readonly task: EndableTask; readonly view: TaskView }[];

/** Ends several at the same time; the results are in the given order. */
async function endAll(
  tasks: ToEnd,
  how: EndOptions,
  progress: Progress,
): Promise<{ killed: Killed; problems: readonly Problem[] }[]> {
  const results: { killed: Killed; problems: readonly Problem[] }[] = [];
  const total = tasks.length;
  const all = total === 1 ? `ending task ${tasks[0]?.view.task_id}` : `ending ${total} tasks`;
  // Several tasks wait for different things.
  const waits = (what: string) => {
    if (total === 1) progress.start(`${all}, waiting for ${what}`);
  };
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let i = next++; i < total; i = next++) {
      const { task, view } = tasks[i] as ToEnd[number];
      const ending: EndProgress = isDone(view)
        ? { signalled: [], problems: [] }
        : await endTask(view, how, task, waits);
      const after = isDone(view) ? view : task.look();
      results[i] = { killed: killedOf(view, after, ending.signalled), problems: ending.problems };
      done += 1;
      progress.update({ done, total, what: 'tasks' });
    }
  };
  progress.start(all);
  try {
    await Promise.all(Array.from({ length: Math.min(TOGETHER, total) }, worker));
  } finally {
    progress.stop();
  }
  return results;
}

function killedOf(before: TaskView, after: TaskView, signalled: number[]): Killed {
  const { task_id, root, state } = before;
  return { task_id, root: root.path, was: state, now: after.state, signalled, already: isDone(before) };
}
