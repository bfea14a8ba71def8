import { constants, setPriority } from 'node:os';
import { resolve } from 'node:path';
import { localTasks } from '../app/local-tasks.js';
import { ReportWriter } from '../app/report.js';
import { agentOfEnvironment } from '../app/report-links.js';
import type { RunPage } from '../app/run-report.js';
import { taskAt } from '../app/task-at.js';
import { SystemError } from '../errors/errors.js';
import { endFirstWithoutMemory } from '../host/oom.js';
import { parseSize } from '../text/size.js';
import { DEFAULT_LOG_BYTES, reportPorts } from './report.js';
import type { Terminal } from './terminal.js';

/** What `run` asks for. */
export interface PageToWrite extends RunPage {
  /** The task is over: nobody is disturbed, and somebody waits. */
  last: boolean;
}

/** Writes the page of one task. Rejects with SystemError if it cannot be written. */
export async function writePage(
  { root, task_id, directory, last }: PageToWrite,
  madeBy: string,
  terminal: Terminal,
): Promise<void> {
  // The memory of its container is the task's.
  endFirstWithoutMemory();
  if (!last) beNice();
  const ports = await reportPorts(madeBy, terminal);
  const options = {
    directory: resolve(directory),
    logBytes: parseSize(DEFAULT_LOG_BYTES, 'log-bytes'),
    trace: false,
    links: { agentOf: () => agentOfEnvironment(process.env) },
  };
  const writer = new ReportWriter(options, ports, { follows: true });
  try {
    const view = await localTasks({}).source(taskAt(root, task_id)).read();
    const refused = (await writer.write(view, [])).find(({ code }) => code === 'report-unwritable');
    if (refused !== undefined) throw new SystemError(refused.code, refused.message);
  } finally {
    writer.close();
  }
}

function beNice(): void {
  try {
    // What the task does comes first.
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // We are nicer already, and must not become less so.
  }
}
