import type { ProblemCode } from '../errors/codes.js';
import { describeErrno, errnoOf, SystemError, ThermosError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { Halt } from '../lifecycle/processes.js';
import type { SignalResult } from '../lifecycle/runner-process.js';
import type { KillRequest, Runner } from '../runner/api.js';
import type { TaskView } from '../task/view.js';

/** How to end tasks. */
export interface EndOptions {
  /** SIGKILL to everything, no final processes. */
  readonly now: boolean;
  /** The task becomes LOST; its processes get no time. */
  readonly lose: boolean;
  /** How long processes may take to end, and final ones to run; milliseconds. */
  readonly graceMs: number;
}

/** What ending a task has done so far, and the problems. */
export interface EndProgress {
  /** Pids. */
  readonly signalled: number[];
  readonly problems: Problem[];
}

/** A task that can be ended, and the machine that it is on. */
export interface EndableTask {
  /** True if its command lines may be executed here. */
  readonly mayExecute: boolean;
  /** The task as it is now. */
  look(): TaskView;
  /** A signal to its live runner; a stopped one is continued for it. Throws UsageError `task-untrusted`. */
  signalRunner(signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL'): SignalResult;
  /** Waits until the task is over or has no runner any more; `lives` after `mostMs` milliseconds. */
  waitForRunner(mostMs: number): Promise<'over' | 'gone' | 'lives'>;
  /** True if something keeps the process, its runner, from running. */
  isHalted(pid: number): boolean;
  /** Becomes its runner. Throws like `takeOver` of the runner. */
  takeOver(): Promise<Pick<Runner, 'kill' | 'run'>>;
  /** Ends its processes and records the end, from its streams alone. Throws SystemError if that is impossible. */
  endOrphan(request: KillRequest, ending: EndProgress): Promise<void>;
  /** Sends SIGKILL to its processes that are still alive; records nothing. */
  endLeftovers(): { signalled: readonly number[]; problems: readonly Problem[] };
}

/** Called with what the command waits for: `its runner`, `its processes`. */
export type OnWait = (what: string) => void;

interface Watched {
  readonly task: EndableTask;
  readonly waits: OnWait;
}

/** A runner needs slightly more time to end than it gives to its processes. */
export const SLACK_MS = 5000;
/** The time that runners give to processes when a signal asks them, because a signal cannot carry a time. */
export const RUNNER_GRACE_MS = 60_000;

/** Why a runner does not react at once, and what is done about it. */
const HALTS: Readonly<Record<Halt, { what: string; done: string }>> = {
  stopped: { what: 'was stopped', done: 'it was continued to end the task' },
  traced: {
    what: 'is held by a debugger',
    done: `it is killed unless it goes on within ${SLACK_MS / 1000}s`,
  },
};

/** Problems of a task file that keep final processes from running. */
const UNUSABLE: readonly ProblemCode[] = [
  'task-incomplete',
  'task-file-unreadable',
  'task-file-damaged',
  'task-invalid',
  // Its streams were trusted before this point.
  'task-untrusted',
];

/** True if nothing is left to end. */
export function isDone({ phase, leftovers }: TaskView): boolean {
  return phase === 'finished' && leftovers.length === 0;
}

/**
 * Ends one task that is not done. A live runner is asked first, and killed if it does not end the task in time. A task
 * without a runner is taken over if its task file can be executed, so that its final processes run; otherwise it is
 * ended from its streams alone. Processes that outlive their task are killed. Failures become problems; only bugs are
 * thrown.
 */
export async function endTask(
  before: TaskView,
  how: EndOptions,
  task: EndableTask,
  waits: OnWait = () => {},
): Promise<EndProgress> {
  const ending: EndProgress = { signalled: [], problems: [] };
  try {
    if (before.phase === 'finished') endLeftovers(task, ending);
    else await escalate(before.task_id, how, { task, waits }, ending);
  } catch (error) {
    if (!(error instanceof ThermosError) && errnoOf(error) === undefined) throw error;
    const { task_id } = before;
    const { hint } = error instanceof ThermosError ? error : { hint: undefined };
    const code = codeOf(error);
    const why = error instanceof ThermosError ? error.message : describeErrno(error);
    // It has ended by itself, or had ended and only its file was not moved yet.
    if (code !== 'task-finished')
      ending.problems.push({ code, severity: 'error', message: `task ${task_id}: ${why}`, task_id, hint });
  }
  return ending;
}

/** A word that matches no task is different from a task that vanished while it was ended. */
function codeOf(error: unknown): ProblemCode {
  if (!(error instanceof ThermosError)) return 'kill-failed';
  return error.code === 'task-not-found' ? 'task-vanished' : error.code;
}

async function escalate(
  taskId: string,
  { now, lose, graceMs }: EndOptions,
  { task, waits }: Watched,
  ending: EndProgress,
): Promise<void> {
  const ask = async (signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL', patienceMs: number) => {
    const sent = task.signalRunner(signal);
    if (sent.kind === 'refused') throw refused(sent.why);
    if (sent.kind === 'sent') ending.signalled.push(sent.pid);
    if (sent.kind === 'no-runner') return 'gone';
    if (sent.kind === 'sent' && sent.halt !== undefined && signal !== 'SIGKILL')
      return waitForHalted(sent.pid, sent.halt, patienceMs);
    waits('its runner');
    return task.waitForRunner(patienceMs);
  };
  const waitForHalted = async (pid: number, halt: Halt, patienceMs: number) => {
    const { what, done } = HALTS[halt];
    const message = `task ${taskId}: its runner (process ${pid}) ${what}; ${done}`;
    ending.problems.push({ code: 'runner-stopped', severity: 'warning', message, task_id: taskId });
    waits(`its runner, which ${what}`);
    const firstMs = Math.min(patienceMs, SLACK_MS);
    const outcome = await task.waitForRunner(firstMs);
    if (outcome !== 'lives') return outcome;
    return task.isHalted(pid) ? 'halted' : task.waitForRunner(patienceMs - firstMs);
  };
  const patienceMs = graceMs < RUNNER_GRACE_MS ? graceMs : graceMs + SLACK_MS;
  let outcome = now ? await ask('SIGKILL', SLACK_MS) : await ask(lose ? 'SIGUSR2' : 'SIGUSR1', patienceMs);
  let atOnce = now;
  if (outcome === 'lives' || outcome === 'halted') {
    // The runner did not end the task: kill the runner, then the task. A halted one has asked no process to end yet.
    atOnce = outcome === 'lives';
    outcome = await ask('SIGKILL', SLACK_MS);
    if (outcome === 'lives') throw refused('its runner cannot be ended');
  }
  // The original's runner does not kill processes that have left their parents.
  if (outcome === 'over') return endLeftovers(task, ending);
  // A runner that is asked to record LOST gives processes no time.
  const wait = lose ? 0 : graceMs / 1000;
  waits('its processes');
  await endRunnerless(taskId, { state: lose ? 'LOST' : 'KILLED', wait, now: atOnce }, task, ending);
}

/** Ends a task that has lost its runner: as its new runner, where there is something to run at its end. */
async function endRunnerless(
  task_id: string,
  request: KillRequest,
  task: EndableTask,
  ending: EndProgress,
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

function endLeftovers(task: EndableTask, { signalled, problems }: EndProgress): void {
  const ended = task.endLeftovers();
  for (const each of ended.signalled) signalled.push(each);
  for (const each of ended.problems) problems.push(each);
}

function refused(why: string): SystemError {
  return new SystemError('kill-refused', `it was not ended: ${why}`);
}
