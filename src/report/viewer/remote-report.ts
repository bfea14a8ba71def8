import { type Sandbox, SandboxLogs } from '../../agent/sandbox.js';
import type { TaskView } from '../../task/view.js';
import { EXECUTOR_GONE } from '../../task/why.js';
import type { TaskReport } from '../model.js';
import { reportOf } from '../report-of.js';

/** Of all logs of a task together: each 64 KiB of them is a call. */
const LOG_BYTES = 512 * 1024;

export interface RemoteReportOptions {
  /** Milliseconds since the epoch. */
  now: number;
  madeBy: string;
  /** The address of the agent. */
  agent: string;
}

/** The report of a task in a sandbox, with links to its logs. */
export async function remoteReport(
  view: TaskView,
  sandbox: Sandbox,
  { now, madeBy, agent }: RemoteReportOptions,
): Promise<TaskReport> {
  const options = { now, madeBy, logBytes: LOG_BYTES, countedBytes: 0, goneBecause: EXECUTOR_GONE };
  const report = await reportOf(view, new SandboxLogs(sandbox), options);
  const links = report.task.logs.map(({ path }) => [
    path,
    `${agent}/files/download?path=${encodeURIComponent(path)}`,
  ]);
  return { ...report, links: { downloads: Object.fromEntries(links) } };
}
