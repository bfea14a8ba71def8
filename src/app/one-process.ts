import { isTerminalTaskState } from '../checkpoint/records.js';
import type { FoundTask } from '../discovery/found.js';
import { NotFoundError, ThermosError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import type { Processes } from '../lifecycle/processes.js';
import { type StartedRun, startedRun, TaskProcess } from '../lifecycle/task-process.js';
import type { Awaitable } from '../task/gatherer.js';
import { unknownProcess } from '../task/unknown-process.js';
import type { ProcessView, TaskView } from '../task/view.js';
import type { Confirmation } from './confirmation.js';
import { onlyTask, type RootFlags, tasksToChange } from './search.js';

/** The words that name one process of one task. */
export interface ProcessWords {
  readonly roots: RootFlags;
  /** An id, a path, or a pattern for the whole id. */
  readonly task: string;
  readonly process: string;
  /** Don't ask, if the task is named by a pattern. */
  readonly yes: boolean;
}

/** A process of a task on this machine. */
export interface FoundProcess {
  readonly found: FoundTask;
  readonly view: TaskView;
  readonly process: ProcessView;
  /** Of the search. */
  readonly problems: readonly Problem[];
}

/**
 * Finds the process that the words name. Asks first if a pattern names its task. `look`: reads a task; `question`: about
 * that task. Rejects with NotFoundError `task-not-found`, `process-not-found`, UsageError `ambiguous-task`,
 * `confirmation-needed`, and `not-confirmed` if the answer is no.
 */
export async function findProcess(
  { roots, task, process: name, yes }: ProcessWords,
  look: (found: FoundTask) => Awaitable<TaskView>,
  question: (taskId: string) => string,
  confirmation: Confirmation<readonly TaskView[]>,
): Promise<FoundProcess> {
  const selection = tasksToChange(roots, [task]);
  const found = onlyTask(task, selection);
  const view = await look(found);
  const { task_id } = found;
  const process = view.processes.find((each) => each.process === name);
  if (process === undefined) throw unknownProcess(view, name);
  if (!yes && task !== task_id && !task.includes('/')) {
    if (!confirmation.canAsk) {
      const hint = 'give --yes, or the whole id';
      throw new UsageError('confirmation-needed', `the pattern matches task ${task_id}`, hint);
    }
    if (!confirmation.confirm(question(task_id), [view]))
      throw new ThermosError('not-confirmed', 'nothing was done', { exitCode: EXIT.no });
  }
  return { found, view, process, problems: selection.problems };
}

/** A run that can be signalled, and the streams that say so. */
export interface OpenRun {
  readonly run: StartedRun;
  /** Its number. */
  readonly index: number;
  readonly task: Pick<TaskProcess, keyof TaskProcess>;
}

/**
 * Opens the streams of the task of a process that runs. The caller closes `task`. Throws NotFoundError
 * `process-not-running`, and as TaskProcess.
 */
export function openRun(
  { found, view, process }: FoundProcess,
  processes: Processes = LOCAL_PROCESSES,
): OpenRun {
  const { sandbox, log_dir, task_id } = view;
  if (isTerminalTaskState(view.state)) throw notRunning(`task ${task_id} is over: ${view.state}`);
  const places = { sandbox: sandbox?.path, logDir: log_dir?.path };
  const task = new TaskProcess(
    { root: found.root.path, taskId: task_id },
    places,
    process.process,
    processes,
  );
  try {
    const latest = task.latestRun();
    const run = latest && startedRun(latest);
    // The view may be of the moment before.
    const index = process.runs - 1;
    if (run === undefined || run.coordinator_pid !== process.coordinator_pid)
      throw notRunning(`process ${process.process} of task ${task_id} is not running: ${stateOf(process)}`);
    return { run, index, task };
  } catch (error) {
    task.close();
    throw error;
  }
}

function stateOf({ runs, state }: ProcessView): string {
  if (runs === 0) return 'it has never started';
  return `its run ${runs - 1} is ${state}`;
}

/** The error for a process that is not running. */
export function notRunning(message: string, hint?: string): NotFoundError {
  return new NotFoundError('process-not-running', message, hint);
}
