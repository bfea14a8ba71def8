import { setTimeout as sleep } from 'node:timers/promises';
import { missingTasks, noSuchTask, type RootFlags, tasksToChange } from '../app/search.js';
import type { KillDocument } from '../contracts/run.js';
import type { FoundTask } from '../discovery/found.js';
import type { ProblemCode } from '../errors/codes.js';
import { describeErrno, errnoOf, SystemError, ThermosError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { rootPaths } from '../layout/root-paths.js';
import type { Place } from '../layout/task-paths.js';
import { signalTask } from '../lifecycle/end-orphan.js';
import { endLeftovers } from '../lifecycle/leftovers.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { Orphan } from '../lifecycle/orphan.js';
import { mayExecute } from '../lifecycle/owner.js';
import type { KillRequest } from '../runner/api.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { isOver } from '../task/condition.js';
import { TaskReader } from '../task/reader.js';
import type { TaskView } from '../task/view.js';
import { killListText, killText } from '../views/kill.js';
import { confirmed } from './confirm.js';
import { COORDINATOR } from './run.js';
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
/** How often it is looked whether the processes of a task without a runner have ended. */
const ORPHAN_LOOK_MS = 50;
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
  for (const { problems: met } of ended) {
    for (const each of met) problems.push(each);
  }
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
  return new TaskReader(found, { history: false }).read(Host.local());
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

/** What became of one task, and what went wrong with it. */
interface Ended {
  killed: Killed;
  problems: Problem[];
}

/** Ends one task; what goes wrong is a problem of it, and the others go on. */
async function end(before: TaskView, flags: KillFlags, terminal: Terminal): Promise<Ended> {
  const ended: Ended = { killed: result(before, before, []), problems: [] };
  if (isDone(before)) return ended;
  const { task_id, found } = before;
  const { problems } = ended;
  const { signalled } = ended.killed;
  try {
    if (before.phase === 'finished') cleanUp(before, ended);
    else await endActive(before, flags, terminal, ended);
  } catch (error) {
    if (!(error instanceof ThermosError) && errnoOf(error) === undefined) throw error;
    const { hint } = error instanceof ThermosError ? error : { hint: undefined };
    const code = codeOf(error);
    const message = error instanceof ThermosError ? error.message : describeErrno(error);
    // It ended by itself meanwhile, or had ended, and only its file was still to be moved.
    if (code !== 'task-finished')
      problems.push({ code, severity: 'error', message: `task ${task_id}: ${message}`, task_id, hint });
  }
  return { killed: result(before, read(found), signalled), problems };
}

/** That a word means no task is another thing than that a task has vanished while it was ended. */
export function codeOf(error: unknown): ProblemCode {
  if (!(error instanceof ThermosError)) return 'kill-failed';
  return error.code === 'task-not-found' ? 'task-vanished' : error.code;
}

async function endActive(
  before: TaskView,
  flags: KillFlags,
  terminal: Terminal,
  ended: Ended,
): Promise<void> {
  const { found } = before;
  const place = placeOf(before);
  const state = flags.lose ? ('LOST' as const) : ('KILLED' as const);
  // A runner that is asked to lose its task gives it no time.
  const request: KillRequest = { state, wait: flags.lose ? 0 : flags.grace / 1000, now: flags.now };
  const ask = async (signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL', patience: number) => {
    const sent = signalTask(place, signal, LOCAL_PROCESSES);
    if (sent.kind === 'refused') throw refused(sent.why);
    if (sent.kind === 'sent') ended.killed.signalled.push(sent.pid);
    return sent.kind === 'no-runner' ? 'gone' : waitForRunner(found, patience);
  };
  const patience = flags.grace < RUNNER_GRACE_MS ? flags.grace : flags.grace + SLACK_MS;
  const signal = flags.now ? 'SIGKILL' : flags.lose ? 'SIGUSR2' : 'SIGUSR1';
  let outcome = await ask(signal, flags.now ? SLACK_MS : patience);
  if (outcome === 'runs') {
    // It was asked, and did not: then it is ended, and the task with it.
    request.now = true;
    outcome = await ask('SIGKILL', SLACK_MS);
    if (outcome === 'runs') throw refused('its runner can not be ended');
  }
  if (outcome === 'gone') await takeOver(place, found, request, terminal, ended);
  // The original's runner leaves alone what has left its parents.
  else cleanUp(read(found), ended);
}

/** What a task file has to be for its final processes to run. */
const UNUSABLE: readonly ProblemCode[] = [
  'task-incomplete',
  'task-file-unreadable',
  'task-file-damaged',
  'task-invalid',
  // Its streams were believed, or we would not be here.
  'task-untrusted',
];

/** Ends a task that has lost its runner: as its new runner, where there is something to run at its end. */
async function takeOver(
  place: Place,
  found: FoundTask,
  request: KillRequest,
  terminal: Terminal,
  ended: Ended,
): Promise<void> {
  const view = read(found);
  if (request.now || request.wait === 0) return endOrphaned(view, request, terminal, ended);
  if (!mayExecute(place.root)) {
    if (view.config?.processes.some(({ final }) => final)) {
      const message = `task ${place.taskId}: its final processes are not run, because its files may be those of a container`;
      ended.problems.push({ code: 'final-not-run', severity: 'warning', message, task_id: place.taskId });
    }
    return endOrphaned(view, request, terminal, ended);
  }
  const withoutFinal = (code: ProblemCode, why: string) => {
    const message = `task ${place.taskId}: its final processes, if it has any, were not run: ${why}`;
    ended.problems.push({ code, severity: 'error', message, task_id: place.taskId });
    return endOrphaned(view, request, terminal, ended);
  };
  if (view.config === undefined) {
    const problem = view.problems.find(({ code }) => code.startsWith('task-file-'));
    return withoutFinal(problem?.code ?? 'task-incomplete', problem?.message ?? 'it has no task file');
  }
  try {
    const { takeOver } = await import('../runner/runner.js');
    const runner = takeOver(place, { coordinator: COORDINATOR, now: () => terminal.now() });
    for (const each of view.leftovers) ended.killed.signalled.push(each);
    runner.kill(request);
    for (const each of (await runner.run()).problems) ended.problems.push(each);
  } catch (error) {
    if (!(error instanceof ThermosError && UNUSABLE.includes(error.code))) throw error;
    await withoutFinal(error.code, error.message);
  }
}

/** Ends the processes of a task and records it, by its streams alone. */
async function endOrphaned(
  view: TaskView,
  { state, wait = 0, now }: KillRequest,
  terminal: Terminal,
  { killed, problems }: Ended,
): Promise<void> {
  const orphan = new Orphan(placeOf(view), placesOf(view), LOCAL_PROCESSES);
  try {
    if (orphan.damage !== undefined) {
      // Nothing can be recorded behind it; what lives is known all the same.
      const ended = orphan.endProcesses();
      for (const each of ended.signalled) killed.signalled.push(each);
      for (const each of ended.problems) problems.push(each);
      throw orphan.damage;
    }
    const signalled = new Set<number>();
    if (!now && wait > 0 && !orphan.isOver) {
      for (const pid of orphan.alive()) signalled.add(pid);
      for (const each of orphan.ask(terminal.now())) problems.push(each);
      const deadline = performance.now() + wait * 1000;
      while (orphan.alive().length > 0 && performance.now() < deadline) await sleep(ORPHAN_LOOK_MS);
    }
    const ended = orphan.end(state, () => terminal.now());
    for (const pid of ended.signalled) signalled.add(pid);
    for (const each of signalled) killed.signalled.push(each);
    for (const each of ended.problems) problems.push(each);
  } finally {
    orphan.close();
  }
}

function cleanUp(view: TaskView, { killed, problems }: Ended): void {
  const ended = endLeftovers(placeOf(view), placesOf(view), LOCAL_PROCESSES);
  for (const each of ended.signalled) killed.signalled.push(each);
  for (const each of ended.problems) problems.push(each);
}

function placeOf({ root, task_id }: TaskView): Place {
  return { root: root.path, taskId: task_id };
}

function placesOf({ sandbox, log_dir }: TaskView) {
  return { sandbox: sandbox?.path, logDir: log_dir?.path };
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
      watcher.watch(rootPaths(found.root.path).active);
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
