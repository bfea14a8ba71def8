import { type RootFlags, taskToChange } from '../app/search.js';
import { PROCESS_STATES, type ProcessState } from '../checkpoint/records.js';
import { encodeTask } from '../contracts/encode-task.js';
import type { WaitDocument } from '../contracts/task.js';
import { NotFoundError, SystemError, ThermosError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { rootPaths } from '../layout/root-paths.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { presenceOf } from '../store/look.js';
import { type Condition, isOver, latestRun, type Standing, standingOf } from '../task/condition.js';
import { exitCodeOf } from '../task/outcome.js';
import { TaskReader } from '../task/reader.js';
import type { TaskView } from '../task/view.js';
import { shellArguments } from '../text/shell.js';
import { waitText } from '../views/wait.js';
import { Interruption } from './interruption.js';
import type { Style } from './terminal.js';

export interface WaitOptions {
  conditions: readonly Condition[];
  /** Milliseconds; undefined: as long as it takes. */
  timeout: number | undefined;
  notice: (text: string) => void;
}

export interface WaitAnswer {
  exitCode: number;
  document: WaitDocument;
  text: (style: Style) => string;
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
  flags: RootFlags,
  options: WaitOptions,
): Promise<WaitAnswer | number> {
  const found = taskToChange(flags, word);
  const deadline = performance.now() + (options.timeout ?? Number.POSITIVE_INFINITY);
  const reader = new TaskReader(found, { history: true });
  const watcher = new DirectoryWatcher();
  const interruption = new Interruption();
  interruption.listen();
  try {
    let view = reader.read(Host.local());
    const since = options.conditions.map((condition) => latestRun(view, condition));
    for (let told = false; ; view = reader.read(Host.local())) {
      refuseUnreadable(view);
      const answer = answerOf(view, options.conditions, since);
      if (answer !== undefined) return answer;
      if (!told && (view.verdict === 'runner-gone' || view.verdict === 'host-rebooted')) {
        told = true;
        options.notice(
          `no runner is alive: \`thermos run\` with the task's config goes on with it, \`thermos kill ${shellArguments(view.task_id)}\` ends it`,
        );
      }
      const left = deadline - performance.now();
      if (left <= 0) throw timedOut(view, options);
      watcher.watch(found.checkpoint_dir);
      if (found.task_file !== undefined) watcher.watch(rootPaths(found.root.path).active);
      const signal = await interruption.wait(watcher.changes(Math.min(left, LOOK_MS)));
      if (signal !== undefined) return signal;
      watcher.take();
    }
  } finally {
    watcher.close();
    interruption.close();
  }
}

function answerOf(
  view: TaskView,
  conditions: readonly Condition[],
  since: readonly number[],
): WaitAnswer | undefined {
  const standings = conditions.map((condition, i) => standingOf(view, condition, since[i] as number));
  const never = standings.find((standing) => standing.kind === 'never');
  if (never === undefined && standings.some(({ kind }) => kind === 'pending')) return undefined;
  if (conditions.length === 0 && !isOver(view)) return undefined;
  const exitCode = conditions.length === 0 ? exitCodeOf(view.state) : never === undefined ? EXIT.ok : EXIT.no;
  const why = (never as Extract<Standing, { kind: 'never' }> | undefined)?.why;
  return {
    exitCode,
    document: { met: never === undefined, why, task: encodeTask(view), problems: [] },
    text: (style) => waitText(view, conditions, why, style),
    problems: view.problems.map((problem) => ({ ...problem, severity: 'warning' })),
  };
}

/** Of what can't be read no end will ever be seen. */
function refuseUnreadable(view: TaskView): void {
  const { found, problems, task_id } = view;
  const gone = (path: string | undefined) => path === undefined || presenceOf(path, 'no-follow') === 'absent';
  if (problems.some(({ code }) => code === 'checkpoint-missing')) {
    if (!gone(found.checkpoint_dir) || !gone(found.task_file)) return;
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

function timedOut({ task_id, state, processes }: TaskView, { conditions }: WaitOptions): ThermosError {
  const pending = conditions.map(({ process }) => {
    const current = processes.find((each) => each.process === process)?.state ?? 'not known';
    return `process ${process} is ${current}`;
  });
  const how = pending.length === 0 ? `task ${task_id} is ${state}` : pending.join(', ');
  return new ThermosError('timeout', `timed out: ${how}`, { exitCode: EXIT.timeout });
}

/** `process=NAME:STATE`; the name may hold colons. Throws UsageError. */
export function parseCondition(text: string): Condition {
  const [, process, word] = /^process=(.+):([^:]+)$/s.exec(text) ?? [];
  if (process === undefined || word === undefined) {
    throw new UsageError('usage', `--for ${text} is not of the form process=NAME:STATE`);
  }
  const state = word.toUpperCase() as ProcessState;
  if (!PROCESS_STATES.includes(state)) {
    throw new UsageError('usage', `${word} is no state of a process`, `one of ${PROCESS_STATES.join(', ')}`);
  }
  return { process, state };
}
