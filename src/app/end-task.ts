import type { ProblemCode } from '../errors/codes.js';
import { describeErrno, errnoOf, SystemError, ThermosError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { SignalResult } from '../lifecycle/runner-process.js';
import type { KillRequest, Runner } from '../runner/api.js';
import type { TaskView } from '../task/view.js';

/** How tasks are to be ended. */
export interface HowToEnd {
  /** SIGKILL to everything, no final processes. */
  readonly now: boolean;
  /** The task becomes LOST; its processes get no time. */
  readonly lose: boolean;
  /** How long processes may take to end, and final ones to run; milliseconds. */
  readonly graceMs: number;
}

/** What ending a task has done and met so far. */
export interface Ending {
  /** Pids. */
  readonly signalled: number[];
  readonly problems: Problem[];
}

/** A task that can be ended, and the machine that it is on. */
export interface EndableTask {
  /** May what its files say be executed here? */
  readonly mayExecute: boolean;
  /** As it is now. */
  look(): TaskView;
  /** A signal to its live runner. Throws UsageError `task-untrusted`. */
  signalRunner(signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL'): SignalResult;
  /** Waits until the task is over, or nobody runs it any more; `lives` after so many milliseconds. */
  waitForRunner(mostMs: number): Promise<'over' | 'gone' | 'lives'>;
  /** Becomes its runner. Throws what `takeOver` of the runner throws. */
  takeOver(): Promise<Pick<Runner, 'kill' | 'run'>>;
  /** Ends its processes and records it, by its streams alone. Throws SystemError if that can't be done. */
  endOrphan(request: KillRequest, ending: Ending): Promise<void>;
  /** SIGKILL to what lives of it; nothing is recorded. */
  endLeftovers(): { signalled: readonly number[]; problems: readonly Problem[] };
}

/** Is told what is waited for: `its runner`, `its processes`. */
export type Waits = (what: string) => void;

interface Watched {
  readonly task: EndableTask;
  readonly waits: Waits;
}

/** A live runner that was asked needs a moment more than the time that it gives to processes. */
export const SLACK_MS = 5000;
/** What runners give to processes when they are asked by a signal, which can't say how much. */
export const RUNNER_GRACE_MS = 60_000;

/** What a task file has to be for its final processes to run. */
const UNUSABLE: readonly ProblemCode[] = [
  'task-incomplete',
  'task-file-unreadable',
  'task-file-damaged',
  'task-invalid',
  // Its streams were believed, or we would not be here.
  'task-untrusted',
];

/** Nothing is left to be ended. */
export function isDone({ phase, leftovers }: TaskView): boolean {
  return phase === 'finished' && leftovers.length === 0;
}

/**
 * Ends one task that is not done. Its live runner is asked first, and killed if it doesn't do it in time. A task
 * without a runner is taken over, so that its final processes run, if its task file can be executed; else it is ended
 * by its streams alone. What outlives its task is killed. What goes wrong is a problem; only bugs are thrown.
 */
export async function endTask(
  before: TaskView,
  how: HowToEnd,
  task: EndableTask,
  waits: Waits = () => {},
): Promise<Ending> {
  const ending: Ending = { signalled: [], problems: [] };
  try {
    if (before.phase === 'finished') endLeftovers(task, ending);
    else await escalate(before.task_id, how, { task, waits }, ending);
  } catch (error) {
    if (!(error instanceof ThermosError) && errnoOf(error) === undefined) throw error;
    const { task_id } = before;
    const { hint } = error instanceof ThermosError ? error : { hint: undefined };
    const code = codeOf(error);
    const why = error instanceof ThermosError ? error.message : describeErrno(error);
    // It ended by itself meanwhile, or had ended, and only its file was still to be moved.
    if (code !== 'task-finished')
      ending.problems.push({ code, severity: 'error', message: `task ${task_id}: ${why}`, task_id, hint });
  }
  return ending;
}

/** That a word means no task is another thing than that a task has vanished while it was ended. */
function codeOf(error: unknown): ProblemCode {
  if (!(error instanceof ThermosError)) return 'kill-failed';
  return error.code === 'task-not-found' ? 'task-vanished' : error.code;
}

async function escalate(
  taskId: string,
  { now, lose, graceMs }: HowToEnd,
  { task, waits }: Watched,
  ending: Ending,
): Promise<void> {
  const ask = async (signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL', patienceMs: number) => {
    const sent = task.signalRunner(signal);
    if (sent.kind === 'refused') throw refused(sent.why);
    if (sent.kind === 'sent') ending.signalled.push(sent.pid);
    if (sent.kind === 'no-runner') return 'gone';
    waits('its runner');
    return task.waitForRunner(patienceMs);
  };
  const patienceMs = graceMs < RUNNER_GRACE_MS ? graceMs : graceMs + SLACK_MS;
  let outcome = now ? await ask('SIGKILL', SLACK_MS) : await ask(lose ? 'SIGUSR2' : 'SIGUSR1', patienceMs);
  let atOnce = now;
  if (outcome === 'lives') {
    // It was asked, and did not: then it is ended, and the task with it.
    atOnce = true;
    outcome = await ask('SIGKILL', SLACK_MS);
    if (outcome === 'lives') throw refused('its runner can not be ended');
  }
  // The original's runner leaves alone what has left its parents.
  if (outcome === 'over') return endLeftovers(task, ending);
  // A runner that is asked to lose its task gives it no time.
  const wait = lose ? 0 : graceMs / 1000;
  waits('its processes');
  await endRunnerless(taskId, { state: lose ? 'LOST' : 'KILLED', wait, now: atOnce }, task, ending);
}

/** Ends a task that has lost its runner: as its new runner, where there is something to run at its end. */
async function endRunnerless(
  task_id: string,
  request: KillRequest,
  task: EndableTask,
  ending: Ending,
): Promise<void> {
  const { problems, signalled } = ending;
  if (request.now || request.wait === 0) return task.endOrphan(request, ending);
  const view = task.look();
  if (!task.mayExecute) {
    if (view.config?.processes.some(({ final }) => final)) {
      const message = `task ${task_id}: its final processes are not run, because its files may be those of a container`;
      problems.push({ code: 'final-not-run', severity: 'warning', message, task_id });
    }
    return task.endOrphan(request, ending);
  }
  const withoutFinal = (code: ProblemCode, why: string) => {
    const message = `task ${task_id}: its final processes, if it has any, were not run: ${why}`;
    problems.push({ code, severity: 'error', message, task_id });
    return task.endOrphan(request, ending);
  };
  if (view.config === undefined) {
    const problem = view.problems.find(({ code }) => code.startsWith('task-file-'));
    return withoutFinal(problem?.code ?? 'task-incomplete', problem?.message ?? 'it has no task file');
  }
  try {
    const runner = await task.takeOver();
    for (const pid of view.leftovers) signalled.push(pid);
    runner.kill(request);
    for (const each of (await runner.run()).problems) problems.push(each);
  } catch (error) {
    if (!(error instanceof ThermosError && UNUSABLE.includes(error.code))) throw error;
    await withoutFinal(error.code, error.message);
  }
}

function endLeftovers(task: EndableTask, { signalled, problems }: Ending): void {
  const ended = task.endLeftovers();
  for (const each of ended.signalled) signalled.push(each);
  for (const each of ended.problems) problems.push(each);
}

function refused(why: string): SystemError {
  return new SystemError('kill-refused', `it was not ended: ${why}`);
}
