import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { localTasks } from '../app/local-tasks.js';
import { NO_PROGRESS } from '../app/progress.js';
import { makeReports, type ReportAnswer, type ReportOptions } from '../app/report.js';
import { agentOfEnvironment, recordedAgents, serverAddress } from '../app/report-links.js';
import { watchReports } from '../app/report-watch.js';
import type { RootFlags } from '../app/search.js';
import type { UsageRecord } from '../app/usage-record.js';
import type { ReportDocument } from '../contracts/report.js';
import type { TaskRoot } from '../discovery/found.js';
import { UsageError } from '../errors/errors.js';
import { localLogs } from '../logs/local-logs.js';
import { jsonText } from '../text/json.js';
import { parseSize } from '../text/size.js';
import { reportSummary } from '../views/report.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import { requireTask } from './exact-flag.js';
import { problemsText } from './failure.js';
import { Interruption } from './interruption.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';

export const DEFAULT_LOG_BYTES = '512K';

export interface ReportFlags extends RootFlags, AgentFlags {
  out: string;
  'log-bytes': string;
  trace: boolean;
  usage?: string;
  'agent-url'?: string;
  'master-url'?: string;
  json: boolean;
}

/** The page that reads agents by itself, as it was built. Throws UsageError if tasks are named. */
export function viewerPage(words: readonly string[]): string {
  if (words.length > 0) {
    throw new UsageError(
      'usage',
      '--viewer takes no TASK: the page shows all tasks of the agents that it is given',
    );
  }
  return readFileSync(join(__dirname, 'viewer.html'), 'utf8');
}

/** Writes the pages of the tasks that the words match; see `makeReports`. `madeBy`: the program and its version. */
export async function writeReports(
  words: readonly string[],
  flags: ReportFlags,
  madeBy: string,
  terminal: Terminal,
): Promise<ReportAnswer> {
  const options = reportOptions(words, flags);
  const agents = await agentsOf(flags, terminal, words, NO_PROGRESS);
  try {
    return await makeReports(options, {
      progress: progressOn(terminal, flags),
      ...(await reportPorts(madeBy, terminal)),
      usage: await usageOf(flags, terminal),
      ...(agents ?? { gatherer: localTasks(flags) }),
    });
  } finally {
    agents?.close();
  }
}

/**
 * Writes the pages, and again whenever something changes, until a signal: see `watchReports`. What was written is said each
 * time, with --json as one document a line.
 */
export async function keepReports(
  words: readonly string[],
  flags: ReportFlags,
  madeBy: string,
  terminal: Terminal,
): Promise<number> {
  const options = reportOptions(words, flags);
  const agents = await agentsOf(flags, terminal, words, NO_PROGRESS);
  const usage = await usageOf(flags, terminal);
  const ports = { ...(await reportPorts(madeBy, terminal)), usage };
  const interruption = new Interruption();
  interruption.listen();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await watchReports(options, {
      progress: progressOn(terminal, flags),
      ...ports,
      ...(agents ?? { gatherer: localTasks(flags) }),
      pause: (until) => interruption.wait(until),
      sleep: (milliseconds) =>
        new Promise((resolve) => {
          timer = setTimeout(resolve, milliseconds);
        }),
      isClosed: () => terminal.isClosed(),
      written: (pages, index, problems) => {
        const document: ReportDocument = { pages: [...pages], index, problems: [...problems] };
        if (flags.json) terminal.write(`${jsonText(document)}\n`);
        else if (index !== undefined) terminal.write(reportSummary({ pages, index }));
        terminal.writeError(problemsText(problems));
      },
    });
  } finally {
    clearTimeout(timer);
    interruption.close();
    agents?.close();
  }
}

async function usageOf({ usage }: ReportFlags, terminal: Terminal): Promise<UsageRecord | undefined> {
  if (usage === undefined) return undefined;
  const { UsageRecord } = await import('../app/usage-record.js');
  return new UsageRecord(resolve(usage), () => terminal.now());
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
  requireTask(words, flags);
  const { out, trace, exact, 'agent-url': agentUrl, 'master-url': masterUrl } = flags;
  return {
    words,
    exact,
    directory: resolve(out),
    logBytes: bytesOf(flags['log-bytes']),
    trace,
    links: {
      agentOf: agentLinks(agentUrl),
      masterUrl: masterUrl === undefined ? undefined : serverAddress(masterUrl, 'master-url'),
    },
  };
}

/** The agent that the task was read from, or that the flag names, or else ours, or else what each agent recorded about itself. Throws UsageError. */
function agentLinks(flag: string | undefined): (root: TaskRoot) => string | undefined {
  const named = flag === undefined ? agentOfEnvironment(process.env) : serverAddress(flag, 'agent-url');
  const recorded = recordedAgents();
  return (root) => root.agent?.url ?? named ?? recorded(root);
}

/** The flag's name says the unit. */
function bytesOf(text: string): number {
  return parseSize(/^\d+$/.test(text) ? `${text}B` : text, 'log-bytes');
}
