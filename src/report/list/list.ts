import type { InspectDocument } from '../../contracts/task.js';

/** A task in the list of all tasks, as plain JSON. All strings are as they were read. */
export interface ListedTask {
  task_id: string;
  root: string;
  /** Where its page is, relative to the list; encoded. */
  href: string;
  phase: string;
  state: string;
  verdict: string;
  user?: string;
  /** Milliseconds since the epoch; absent if they are not known. */
  launched_ms?: number;
  state_ms?: number;
  processes: number;
  succeeded: number;
  failed: number;
  /** The process that failed first. */
  failing?: string;
}

/** What the page of all tasks shows. */
export interface TaskList {
  made_ms: number;
  made_by: string;
  hostname: string;
  /** In order: what needs attention first. */
  tasks: readonly ListedTask[];
  /** Why it may not be all of them. */
  problems: readonly string[];
}

/** The row of a task. Pure. */
export function listedTask(task: InspectDocument, href: string, failing: string | undefined): ListedTask {
  const { task_id, root, phase, state, verdict, user, processes } = task;
  const count = (wanted: string) => processes.filter((process) => process.state === wanted).length;
  return {
    task_id,
    root,
    href,
    phase,
    state: String(state),
    verdict,
    user,
    launched_ms: timeOf(task.launch_time_ms),
    state_ms: timeOf(task.state_timestamp_ms),
    processes: processes.length,
    succeeded: count('SUCCESS'),
    failed: count('FAILED'),
    failing,
  };
}

/** Beyond the calendar, a time means nothing. */
function timeOf(value: number | string | undefined): number | undefined {
  const time = Number(value ?? Number.NaN);
  return Math.abs(time) < 8.64e15 ? time : undefined;
}

/** Failed tasks first, then others that need attention, those that run, and those that are over; each the newest first. Pure. */
export function inOrder(tasks: readonly ListedTask[]): ListedTask[] {
  const rank = ({ state, verdict, phase }: ListedTask) => {
    if (state === 'FAILED' || state === 'LOST') return 0;
    if (verdict !== 'ok') return 1;
    return phase === 'active' ? 2 : 3;
  };
  const time = ({ state_ms = Number.NEGATIVE_INFINITY }: ListedTask) => state_ms;
  const compare = <T>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);
  return tasks.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      compare(time(b), time(a)) ||
      compare(a.task_id, b.task_id) ||
      compare(a.root, b.root),
  );
}
