import { encodeInspect } from '../contracts/encode-task.js';
import { excerptsOf, type RankOf } from '../logs/excerpts.js';
import { type Inspection, inspectTask } from '../logs/inspection.js';
import type { LogTree } from '../logs/log-tree.js';
import type { TaskReport } from '../report/model.js';
import { taskFileProblems } from '../task/task-schema.js';
import type { TaskView } from '../task/view.js';
import { firstFailing } from '../task/why.js';
import { type LinkSources, reportLinks } from './report-links.js';

export interface TaskReportOptions {
  /** Milliseconds since the epoch. */
  now: number;
  /** The program and its version. */
  madeBy: string;
  /** How many bytes of logs are read at most. */
  logBytes: number;
  links: LinkSources;
}

/** Everything that the page of a task shows: what `inspect` knows of it, and the ends of its logs. */
export async function taskReport(
  view: TaskView,
  tree: LogTree,
  { now, madeBy, logBytes, links }: TaskReportOptions,
): Promise<TaskReport> {
  const { config, found, problems } = view;
  for (const problem of config === undefined
    ? []
    : taskFileProblems(config.raw, found.task_file, found.task_id)) {
    problems.push(problem);
  }
  const inspection = await inspectTask(view, tree, now);
  const failing = firstFailing(view);
  const excerpts = await excerptsOf(inspection.logs, tree, {
    bytes: logBytes,
    rankOf: rankOf(inspection, failing?.process),
  });
  return {
    made_ms: now,
    made_by: madeBy,
    task: encodeInspect(view, [...inspection.logs], [...inspection.why]),
    failing: failing && { process: failing.process, run: failing.runs - 1 },
    excerpts,
    links: reportLinks(view, inspection.logs, links),
  };
}

const UNHAPPY: readonly unknown[] = ['FAILED', 'KILLED', 'LOST', 'RUNNING'];

/** The run that failed first, then the last runs, those that did not succeed before the others, then earlier ones. */
function rankOf({ view }: Inspection, failing: string | undefined): RankOf {
  const byName = new Map(view.processes.map((process) => [process.process, process]));
  return (process, run) => {
    const { runs = 0, state } = byName.get(process) ?? {};
    const before = Math.max(0, runs - 1 - run);
    if (before > 0) return 2 + before;
    if (process === failing) return 0;
    return UNHAPPY.includes(state) ? 1 : 2;
  };
}
