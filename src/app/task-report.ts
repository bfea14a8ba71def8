import type { LogTree } from '../logs/log-tree.js';
import type { TaskReport } from '../report/model.js';
import { type ReportOfOptions, reportOf } from '../report/report-of.js';
import { taskFileProblems } from '../task/task-schema.js';
import type { TaskView } from '../task/view.js';
import { type LinkSources, reportLinks } from './report-links.js';

export interface TaskReportOptions extends ReportOfOptions {
  links: LinkSources;
}

/** Everything that the page of a task shows, with what is wrong with its task file, and links. */
export async function taskReport(
  view: TaskView,
  tree: LogTree,
  { links, ...options }: TaskReportOptions,
): Promise<TaskReport> {
  const { config, found, problems } = view;
  if (config !== undefined) {
    for (const problem of taskFileProblems(config.raw, found.task_file, found.task_id))
      problems.push(problem);
  }
  const report = await reportOf(view, tree, options);
  return { ...report, links: reportLinks(view, report.task.logs, links) };
}
