import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { localTasks } from '../app/local-tasks.js';
import { makeReports, type ReportAnswer, type ReportOptions } from '../app/report.js';
import { agentOfEnvironment, serverAddress } from '../app/report-links.js';
import type { RootFlags } from '../app/search.js';
import { localLogs } from '../logs/local-logs.js';
import { parseSize } from '../text/size.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';

/** Where pages are written if no flag says it. */
export const DEFAULT_DIRECTORY = 'thermos-report';
export const DEFAULT_LOG_BYTES = '512K';

export interface ReportFlags extends RootFlags {
  out: string;
  'log-bytes': string;
  trace: boolean;
  'agent-url'?: string;
  'master-url'?: string;
  json: boolean;
}

/** Writes the pages of the tasks that the words match; see `makeReports`. `madeBy`: the program and its version. */
export async function writeReports(
  words: readonly string[],
  flags: ReportFlags,
  madeBy: string,
  terminal: Terminal,
): Promise<ReportAnswer> {
  const options = reportOptions(words, flags);
  return await makeReports(options, {
    gatherer: localTasks(flags),
    progress: progressOn(terminal, flags),
    ...(await reportPorts(madeBy, terminal)),
  });
}

/** What every report needs; the code that draws pages is loaded here. */
export async function reportPorts(madeBy: string, terminal: Terminal) {
  return {
    logsOf: localLogs,
    pages: await import('../report/pages.js'),
    now: () => terminal.now(),
    madeBy,
    hostname: hostname(),
  };
}

/** Throws UsageError. */
export function reportOptions(words: readonly string[], flags: ReportFlags): ReportOptions {
  const { out, trace, 'agent-url': agentUrl, 'master-url': masterUrl } = flags;
  return {
    words,
    directory: resolve(out),
    logBytes: bytesOf(flags['log-bytes']),
    trace,
    links: {
      agentUrl:
        agentUrl === undefined ? agentOfEnvironment(process.env) : serverAddress(agentUrl, 'agent-url'),
      masterUrl: masterUrl === undefined ? undefined : serverAddress(masterUrl, 'master-url'),
    },
  };
}

/** The flag's name says the unit. */
function bytesOf(text: string): number {
  return parseSize(/^\d+$/.test(text) ? `${text}B` : text, 'log-bytes');
}
