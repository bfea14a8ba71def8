import type { KillDocument } from '../contracts/run.js';
import type { FoundTask } from '../discovery/found.js';
import { SystemError, ThermosError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import type { KillRequest } from '../runner/api.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { isOver } from '../task/condition.js';
import { TaskReader, type TaskView } from '../task/view.js';
import { killListText, killText } from '../views/kill.js';
import { confirmed } from './confirm.js';
import { COORDINATOR } from './run.js';
import { missingTasks, noSuchTask, type RootFlags, tasksToChange } from './search.js';
import type { Style, Terminal } from './terminal.js';

export interface KillFlags extends RootFlags {
  now: boolean;
  lose: boolean;
  yes: boolean;
  'dry-run': boolean;
  json: boolean;
  /** Milliseconds. */
  grace: number;
}

export interface KillAnswer {
  document: KillDocument;
  text: (style: Style) => string;
  problems: readonly Problem[];
  exitCode: number;
}

/** What became of one task. */
export interface Killed {
  task_id: string;
  root: string;
  was: TaskView['state'];
  now: TaskView['state'];
  signalled: number[];
  /** It was over before. */
  already: boolean;
}

/** A live runner that was asked needs a moment more than the time that it gives to processes. */
const SLACK_MS = 5000;
/** What runners give to processes when they are asked by a signal, which can't say how much. */
const RUNNER_GRACE_MS = 60_000;
const LOOK_MS = 1000;
/** How many tasks are ended at the same time. */
const TOGETHER = 16;

/**
 * Ends the tasks that the words mean. Patterns are asked about first. Throws NotFoundError if none is meant,
 * UsageError `confirmation-needed` if it can't be asked, and `not-confirmed` if the answer is no.
 */
export async function killTasks(
  words: readonly string[],
  flags: KillFlags,
  terminal: Terminal,
): Promise<KillAnswer> {
  const selection = tasksToChange(flags, words);
  if (selection.selected.length === 0) throw noSuchTask(selection);
  const views = selection.selected.map((found) => read(found));
  const named = (view: TaskView) => words.some((word) => word === view.task_id || word.includes('/'));
  const toEnd = views.filter((view) => !isDone(view));
  // Who gives a pattern means what there is to be ended; if there is nothing, or a task is named, that it is over is told.
  const chosen = toEnd.length === 0 ? views : views.filter((view) => named(view) || !isDone(view));
  const problems = [...selection.problems, ...missingTasks(selection)];
  const exitCode = selection.unmatched.length > 0 ? EXIT.no : EXIT.ok;
  if (flags['dry-run']) {
    const tasks = chosen.map((view) => result(view, view, []));
    const over = tasks.filter(({ already }) => already);
    return answer(tasks, problems, exitCode, (style) => killListText(toEnd, style) + killText(over, style));
  }
  if (!flags.yes && toEnd.some((view) => !named(view))) {
    askFirst(toEnd, terminal);
  }
  const ended = await inTurn(chosen, (view) => end(view, flags, terminal));
  for (const each of ended) problems.push(...each.problems);
  const tasks = ended.map((each) => each.killed);
  return answer(tasks, problems, exitCode, (style) => killText(tasks, style));
}

function answer(
  tasks: readonly Killed[],
  problems: readonly Problem[],
  exitCode: number,
  text: (style: Style) => string,
): KillAnswer {
  const document: KillDocument = {
    tasks: tasks.map(({ already: _, ...task }) => task),
    problems: [...problems],
  };
  const failed = hasError(problems.filter(({ code }) => code !== 'task-not-found'));
  return { document, text, problems, exitCode: failed ? EXIT.partial : exitCode };
}

function askFirst(tasks: readonly TaskView[], terminal: Terminal): void {
  const many = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}`;
  if (!terminal.canAsk) {
    const ids = tasks.slice(0, 10).map(({ task_id }) => task_id);
    throw new UsageError(
      'confirmation-needed',
      `the pattern means ${many}: ${ids.join(', ')}${tasks.length > 10 ? ', …' : ''}`,
      'give --yes to end them, or --dry-run to see them',
    );
  }
  terminal.writeError(killListText(tasks, terminal.style(2)));
  if (confirmed(`End ${many}?`, terminal)) return;
  throw new ThermosError('not-confirmed', 'nothing was done', { exitCode: EXIT.no });
}

function read(found: FoundTask): TaskView {
  return new TaskReader(found, { history: true }).read(Host.local());
}

/** Nothing is left to be ended. */
function isDone(view: TaskView): boolean {
  return view.phase === 'finished' && view.leftovers.length === 0;
}

function result(before: TaskView, after: TaskView, signalled: number[]): Killed {
  const { task_id, root } = before;
  return {
    task_id,
    root: root.path,
    was: before.state,
    now: after.state,
    signalled,
    already: isDone(before),
  };
}

interface Ended {
  killed: Killed;
  problems: Problem[];
}

/** Ends one task; what goes wrong is a problem of it. */
async function end(before: TaskView, flags: KillFlags, terminal: Terminal): Promise<Ended> {
  const signalled: number[] = [];
  const problems: Problem[] = [];
  if (isDone(before)) return { killed: result(before, before, signalled), problems };
  const { task_id, root, found } = before;
  const place = { root: root.path, taskId: task_id };
  const state = flags.lose ? ('LOST' as const) : ('KILLED' as const);
  // A runner that is asked to lose its task gives it no time.
  const request: KillRequest = { state, wait: flags.lose ? 0 : flags.grace / 1000, now: flags.now };
  try {
    const { signalRunner, takeOver } = await import('../runner/runner.js');
    const { endLeftovers } = await import('../lifecycle/leftovers.js');
    const cleanUp = (view: TaskView) => {
      const ended = endLeftovers(view);
      signalled.push(...ended.signalled);
      problems.push(...ended.problems);
    };
    if (before.phase === 'finished') {
      cleanUp(before);
      return { killed: result(before, read(found), signalled), problems };
    }
    const ask = (signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL') => {
      const sent = signalRunner(Host.local(), place, signal);
      if (sent.kind === 'refused') throw refused(sent.why);
      if (sent.kind === 'sent') signalled.push(sent.pid);
    };
    ask(flags.now ? 'SIGKILL' : flags.lose ? 'SIGUSR2' : 'SIGUSR1');
    const asked = flags.grace < RUNNER_GRACE_MS ? flags.grace : flags.grace + SLACK_MS;
    let outcome = await waitForRunner(found, flags.now ? SLACK_MS : asked);
    if (outcome === 'runs') {
      // It was asked, and did not: then it is ended, and the task with it.
      request.now = true;
      ask('SIGKILL');
      outcome = await waitForRunner(found, SLACK_MS);
      if (outcome === 'runs') throw refused('its runner can not be ended');
    }
    if (outcome === 'gone') {
      signalled.push(...read(found).leftovers);
      const runner = takeOver(place, { coordinator: COORDINATOR, now: () => terminal.now() });
      runner.kill(request);
      problems.push(...(await runner.run()).problems);
    } else {
      // The original's runner leaves alone what has left its parents.
      cleanUp(read(found));
    }
  } catch (error) {
    if (!(error instanceof ThermosError)) throw error;
    const { code, message, hint } = error;
    // It ended by itself meanwhile, or had ended, and only its file was still to be moved.
    if (code !== 'task-finished')
      problems.push({ code, severity: 'error', message: `task ${task_id}: ${message}`, task_id, hint });
  }
  return { killed: result(before, read(found), signalled), problems };
}

function refused(why: string): SystemError {
  return new SystemError('kill-refused', `it was not ended: ${why}`);
}

/** Waits until the task is over, or nobody runs it any more. */
async function waitForRunner(found: FoundTask, most: number): Promise<'over' | 'gone' | 'runs'> {
  const watcher = new DirectoryWatcher();
  const deadline = performance.now() + most;
  const reader = new TaskReader(found, { history: false });
  try {
    for (;;) {
      const view = reader.read(Host.local());
      if (isOver(view) && view.phase === 'finished') return 'over';
      if (view.runner?.alive !== true) return 'gone';
      const left = deadline - performance.now();
      if (left <= 0) return 'runs';
      watcher.watch(found.checkpoint_dir);
      watcher.watch(`${found.root.path}/tasks/active`);
      await watcher.changes(Math.min(left, LOOK_MS));
      watcher.take();
    }
  } finally {
    watcher.close();
  }
}

/** Some at the same time, the results in the order given. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T);
  };
  await Promise.all(Array.from({ length: Math.min(TOGETHER, items.length) }, worker));
  return results;
}
