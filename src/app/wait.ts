import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import { NotFoundError, SystemError, ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { Changes } from '../task/changes.js';
import { type Condition, type ConditionState, conditionState, isOver, latestRun } from '../task/condition.js';
import type { Awaitable, TaskGatherer } from '../task/gatherer.js';
import { exitCodeOf } from '../task/outcome.js';
import type { TaskView } from '../task/view.js';
import { EXECUTOR_GONE } from '../task/why.js';
import { onlyTask } from './search.js';

export interface WaitOptions {
  conditions: readonly Condition[];
  /** Milliseconds; undefined: as long as it takes. */
  timeout: number | undefined;
}

/** Waits for a promise; resolves to undefined, or to the exit code that ends the command first. */
export type Pause = (until: Promise<void>) => Promise<number | undefined>;

export interface WaitPorts {
  gatherer: TaskGatherer;
  /** Closed at the end. */
  changes: Changes;
  pause: Pause;
  /** Milliseconds, from any fixed point. */
  now(): number;
  notice(text: string): void;
}

export interface WaitAnswer {
  exitCode: number;
  view: TaskView;
  /** False if a condition can no longer be met; `why` has the reason. */
  met: boolean;
  why?: string;
  problems: readonly Problem[];
}

/** The death of a runner changes no file, so the state is read again after this time at the latest. */
const LOOK_MS = 1000;

/**
 * Waits until the task is over, or until all conditions are met. Resolves to the exit code of a signal if one comes
 * first. Rejects with ThermosError `timeout` (124), NotFoundError if the task or process does not exist or is removed,
 * and SystemError if its state cannot be read.
 */
export async function waitForTask(
  word: string,
  { conditions, timeout = Number.POSITIVE_INFINITY }: WaitOptions,
  ports: WaitPorts,
): Promise<WaitAnswer | number> {
  const { gatherer, changes, now } = ports;
  const deadline = now() + timeout;
  const answer = withDeadline(ports, deadline, word);
  try {
    const selection = await answer(gatherer.find([word], 'change'));
    if (typeof selection === 'number') return selection;
    const source = gatherer.source(onlyTask(word, selection));
    let since: readonly number[] | undefined;
    for (let reported = false; ; ) {
      const view = await answer(source.read());
      if (typeof view === 'number') return view;
      since ??= conditions.map((condition) => latestRun(view, condition));
      refuseUnreadable(view);
      const end = endOf(view, conditions, since);
      if (end !== undefined) return end;
      if (!reported && (view.verdict === 'runner-gone' || view.verdict === 'host-rebooted')) {
        reported = true;
        ports.notice(`no runner is alive${adviceFor(view)}`);
      }
      const left = deadline - now();
      if (left <= 0) throw timedOut(view, conditions);
      changes.watch(source.streams);
      if (view.found.task_file !== undefined) changes.watch(source.taskFiles);
      const exitCode = await ports.pause(changes.changes(Math.min(left, LOOK_MS)));
      if (exitCode !== undefined) return exitCode;
      changes.take();
    }
  } finally {
    changes.close();
  }
}

/** Another host is only looked at. */
function adviceFor({ root, task_id }: TaskView): string {
  if (root.agent !== undefined) return `: ${EXECUTOR_GONE}`;
  const kill = thermosCommand(['kill'], rootFlagsOf(root), [task_id]);
  return `: \`run\` with the task's config and --task-id resumes it; end it: ${kill}`;
}

/** Bounds the wait for late answers by the deadline. */
function withDeadline({ pause, now }: WaitPorts, deadline: number, word: string) {
  const bounded: Pause = async (until) => {
    if (deadline === Number.POSITIVE_INFINITY) return pause(until);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new ThermosError('timeout', `timed out: there was no answer for ${word}`, {
        exitCode: EXIT.timeout,
      });
      timer = setTimeout(() => reject(error), Math.max(0, deadline - now()));
    });
    try {
      return await pause(Promise.race([until, late]));
    } finally {
      clearTimeout(timer);
    }
  };
  return <T extends object>(answer: T | Promise<T>) => answered(answer, bounded);
}

/** The answer, or the exit code that ends the command before the answer arrives. */
export async function answered<T extends object>(answer: Awaitable<T>, pause: Pause): Promise<T | number> {
  if (!(answer instanceof Promise)) return answer;
  let arrived: T | undefined;
  const arrival = answer.then((value) => {
    arrived = value;
  });
  // A command that is ending does not report a failure.
  arrival.catch(() => {});
  const exitCode = await pause(arrival);
  return arrived ?? exitCode ?? answer;
}

function endOf(
  view: TaskView,
  conditions: readonly Condition[],
  since: readonly number[],
): WaitAnswer | undefined {
  const standings = conditions.map((condition, i) => conditionState(view, condition, since[i] as number));
  const never = standings.find((standing) => standing.kind === 'never');
  if (never === undefined && standings.some(({ kind }) => kind === 'pending')) return undefined;
  if (conditions.length === 0 && !isOver(view)) return undefined;
  const exitCode = conditions.length === 0 ? exitCodeOf(view.state) : never === undefined ? EXIT.ok : EXIT.no;
  const why = (never as Extract<ConditionState, { kind: 'never' }> | undefined)?.why;
  const problems = view.problems.map((problem) => ({ ...problem, severity: 'warning' as const }));
  return { exitCode, view, met: never === undefined, why, problems };
}

/** Throws for a task that cannot be read: its end would never be seen. */
function refuseUnreadable(view: TaskView): void {
  const { found, problems, task_id } = view;
  if (problems.some(({ code }) => code === 'checkpoint-missing')) {
    if (!view.removed) return;
    throw new NotFoundError('task-removed', `task ${task_id} was removed`);
  }
  const error = problems.find(
    ({ code }) =>
      code === 'checkpoint-unreadable' || code === 'checkpoint-damaged' || code === 'checkpoint-sparse',
  );
  if (error !== undefined && !isOver(view)) throw new SystemError(error.code, error.message, error.hint);
  if (view.state === 'UNKNOWN' && found.unreadable)
    throw new SystemError('task-unreadable', `the sandbox of task ${task_id} cannot be entered`);
}

function timedOut({ task_id, state, processes }: TaskView, conditions: readonly Condition[]): ThermosError {
  const pending = conditions.map(({ process }) => {
    const current = processes.find((each) => each.process === process)?.state ?? 'not known';
    return `process ${process} is ${current}`;
  });
  const how = pending.length === 0 ? `task ${task_id} is ${state}` : pending.join(', ');
  return new ThermosError('timeout', `timed out: ${how}`, { exitCode: EXIT.timeout });
}
