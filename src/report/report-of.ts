import { encodeInspect } from '../contracts/encode-task.js';
import { excerptsOf, type RankOf } from '../logs/excerpts.js';
import { inspectTask } from '../logs/inspection.js';
import type { LogTree } from '../logs/log-tree.js';
import type { TaskView } from '../task/view.js';
import { firstFailing } from '../task/why.js';
import type { TaskHistory } from '../top/usage-history.js';
import type { TaskReport } from './model.js';
import { resourcesSeen } from './resources-seen.js';

export interface ReportOfOptions {
  /** Milliseconds since the epoch. */
  now: number;
  /** The program and its version. */
  madeBy: string;
  /** How many bytes of logs are read at most. */
  logBytes: number;
  /** How many of them may be read only to count their lines; see `ExcerptsOptions`. */
  countedBytes?: number;
  /** See `WhyOptions`; only for a task elsewhere. */
  goneBecause?: string;
  /** What a record has about it. */
  history?: TaskHistory;
}

/** Everything that the page of a task shows, except links: what `inspect` knows of it, and the ends of its logs. */
export async function reportOf(
  view: TaskView,
  tree: LogTree,
  { now, madeBy, logBytes, countedBytes, goneBecause, history }: ReportOfOptions,
): Promise<TaskReport> {
  const { logs, why, criticalPath } = await inspectTask(view, tree, now, goneBecause);
  const failing = firstFailing(view);
  const rankOf = rankIn(view, failing?.process);
  const excerpts = await excerptsOf(logs, tree, { bytes: logBytes, rankOf, counted: countedBytes });
  return {
    made_ms: now,
    made_by: madeBy,
    task: encodeInspect(view, [...logs], [...why], criticalPath),
    failing: failing && { process: failing.process, run: failing.runs - 1 },
    excerpts,
    resources_seen: history && resourcesSeen(history),
  };
}

const UNHAPPY: readonly unknown[] = ['FAILED', 'KILLED', 'LOST', 'RUNNING'];

/** The run that failed first, then the last runs, those that did not succeed before the others, then earlier ones. */
function rankIn(view: TaskView, failing: string | undefined): RankOf {
  const byName = new Map(view.processes.map((process) => [process.process, process]));
  return (process, run) => {
    const { runs = 0, state } = byName.get(process) ?? {};
    const before = Math.max(0, runs - 1 - run);
    if (before > 0) return 2 + before;
    if (process === failing) return 0;
    return UNHAPPY.includes(state) ? 1 : 2;
  };
}
