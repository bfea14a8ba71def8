import type { TaskView } from '../../task/view.js';
import type { TaskReport } from '../model.js';
import { reportOf } from '../report-of.js';
import { type Sandbox, SandboxLogs } from './sandbox.js';

/** Of all logs of a task together: each 64 KiB of them is a call. */
const LOG_BYTES = 512 * 1024;

/** What stands for the lock, which only the host of a task sees. */
const GONE = 'its executor is not among those that the agent runs';

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
  const options = { now, madeBy, logBytes: LOG_BYTES, countedBytes: 0, goneBecause: GONE };
  const report = await reportOf(view, new SandboxLogs(sandbox), options);
  const links = report.task.logs.map(({ path }) => [
    path,
    `${agent}/files/download?path=${encodeURIComponent(path)}`,
  ]);
  return { ...report, links: { downloads: Object.fromEntries(links) } };
}
