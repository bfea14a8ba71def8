import { NotFoundError, SystemError, ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { Changes } from '../task/changes.js';
import { type Condition, type ConditionState, conditionState, isOver, latestRun } from '../task/condition.js';
import type { TaskGatherer } from '../task/gatherer.js';
import { exitCodeOf } from '../task/outcome.js';
import type { TaskView } from '../task/view.js';
import { shellArguments } from '../text/shell.js';
import { answered, type Pause } from './late.js';
import { onlyTask } from './search.js';

export interface WaitOptions {
  conditions: readonly Condition[];
  /** Milliseconds; undefined: as long as it takes. */
  timeout: number | undefined;
}

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
  /** False if a condition can not be met any more: `why` it can't. */
  met: boolean;
  why?: string;
  problems: readonly Problem[];
}

/** A runner that dies changes no file: the state is read again after this time at the latest. */
const LOOK_MS = 1000;

/**
 * Waits until the task is over, or all conditions are met. Resolves to a signal's exit code if one comes first.
 * Throws ThermosError `timeout` (124), NotFoundError if there is no such task or process or it is removed, and
 * SystemError if its state can't be read.
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
    for (let told = false; ; ) {
      const view = await answer(source.read());
      if (typeof view === 'number') return view;
      since ??= conditions.map((condition) => latestRun(view, condition));
      refuseUnreadable(view);
      const end = endOf(view, conditions, since);
      if (end !== undefined) return end;
      if (!told && (view.verdict === 'runner-gone' || view.verdict === 'host-rebooted')) {
        told = true;
        ports.notice(
          `no runner is alive: \`thermos run\` with the task's config goes on with it, \`thermos kill ${shellArguments(view.task_id)}\` ends it`,
        );
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

/** Answers that are late are not waited for longer than the deadline. */
function withDeadline({ pause, now }: WaitPorts, deadline: number, word: string) {
  const bounded: Pause = async (until) => {
    if (deadline === Number.POSITIVE_INFINITY) return pause(until);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new ThermosError('timeout', `timed out: nothing was heard of ${word}`, {
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

/** Of what can't be read no end will ever be seen. */
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
    throw new SystemError('task-unreadable', `the sandbox of task ${task_id} can not be entered`);
}

function timedOut({ task_id, state, processes }: TaskView, conditions: readonly Condition[]): ThermosError {
  const pending = conditions.map(({ process }) => {
    const current = processes.find((each) => each.process === process)?.state ?? 'not known';
    return `process ${process} is ${current}`;
  });
  const how = pending.length === 0 ? `task ${task_id} is ${state}` : pending.join(', ');
  return new ThermosError('timeout', `timed out: ${how}`, { exitCode: EXIT.timeout });
}
