import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { localTasks } from '../app/local-tasks.js';
import { SampleRecord } from '../app/sample-record.js';
import type { RootFlags } from '../app/search.js';
import { Top, type TopAnswer, type TopPorts } from '../app/top.js';
import { encodeTop } from '../contracts/encode-top.js';
import { UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { localLogs } from '../logs/local-logs.js';
import type { LogsOf } from '../logs/log-tree.js';
import type { TaskGatherer } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { timestamp } from '../text/age.js';
import { parseDuration } from '../text/duration.js';
import { jsonText } from '../text/json.js';
import { parseSize } from '../text/size.js';
import type { AgentFlags } from './agent-flags.js';
import { type AskedAgents, agentsOf } from './agents.js';
import { problemsText, say } from './failure.js';
import { Interruption } from './interruption.js';
import { liveMeters } from './live-meters.js';
import type { Terminal } from './terminal.js';
import { orderOf, refuseOrder, type TopOrderFlags } from './top-order.js';
import { pause } from './watch.js';

export interface TopFlags extends RootFlags, AgentFlags, TopOrderFlags {
  interval: string;
  count?: number;
  once: boolean;
  record?: string;
  'record-size'?: string;
  json: boolean;
}

/** What is needed to sample, and how it is shown. */
export interface TopSession {
  readonly top: Pick<Top, 'look'> & Partial<Pick<Top, 'close'>>;
  readonly tasks: TaskGatherer;
  readonly logsOf: LogsOf;
  readonly flags: TopFlags;
  readonly intervalMs: number;
}

/** Shows what the active tasks use: on a screen of its own, or sample by sample. Resolves to the exit code. */
export async function showTop(
  words: readonly string[],
  flags: TopFlags,
  terminal: Terminal,
): Promise<number> {
  refuseOrder(flags);
  const agents = await agentsOf(flags, terminal, words);
  try {
    const session =
      agents === undefined
        ? topSession(words, flags, terminal)
        : await remoteTopSession(words, flags, agents, terminal);
    return await showSession(session, terminal);
  } finally {
    agents?.close();
  }
}

async function showSession(session: TopSession, terminal: Terminal): Promise<number> {
  const { flags } = session;
  const isLive = terminal.stdoutIsTerminal && !terminal.isDumb && !flags.json;
  if (isLive && !flags.once && flags.count === undefined) {
    const { watchTop } = await import('./top-list.js');
    return watchTop(session, terminal);
  }
  const { json, once, record } = flags;
  const isSilent = record !== undefined && !json && !once && flags.count === undefined;
  return printSamples(session, terminal, isSilent);
}

/** Begins to sample this host. Throws UsageError. */
export function topSession(words: readonly string[], flags: TopFlags, terminal: Terminal): TopSession {
  const intervalMs = parseDuration(flags.interval, 'interval', { least: '100ms', most: '1d' });
  const snapshots = Host.snapshots();
  let host = snapshots();
  const look = () => {
    host = snapshots();
    return host;
  };
  const tasks = localTasks(flags, look);
  const clocks = { now: () => terminal.now(), monotonic: () => performance.now() };
  const ports: TopPorts = {
    search: tasks.board(() => terminal.now()),
    host: () => host,
    clocks,
    cores: cpus().length,
    meters: liveMeters(clocks),
    record: recordOf(flags),
  };
  return { top: new Top({ words, pss: flags.pss }, ports), tasks, logsOf: localLogs, flags, intervalMs };
}

const ONLY_HERE = ['pss', 'processes'] as const;

/** Begins to sample agents. Rejects with UsageError. */
export async function remoteTopSession(
  words: readonly string[],
  flags: TopFlags,
  { gatherer, logsOf }: AskedAgents,
  terminal: Terminal,
): Promise<TopSession> {
  // Agents are asked twice a second at most what their containers use.
  const intervalMs = parseDuration(flags.interval, 'interval', { least: '500ms', most: '1d' });
  const onlyHere = ONLY_HERE.find((name) => flags[name]);
  if (onlyHere !== undefined) {
    const why = `--${onlyHere} cannot be read from agents: they report what containers use, not processes`;
    throw new UsageError('usage', why);
  }
  const [{ RemoteTop }, { askForUses }] = await Promise.all([
    import('../app/remote-top.js'),
    import('../agent/uses.js'),
  ]);
  const clocks = { now: () => terminal.now(), monotonic: () => performance.now() };
  const ports = {
    search: gatherer.board(),
    uses: (views: readonly TaskView[]) => askForUses(gatherer, views),
    clocks,
    record: recordOf(flags),
  };
  return { top: new RemoteTop({ words }, ports), tasks: gatherer, logsOf, flags, intervalMs };
}

/** Throws UsageError, and SystemError if the file cannot be written. */
function recordOf({ record, 'record-size': size = '32M' }: TopFlags): SampleRecord | undefined {
  const maxBytes = parseSize(size, 'record-size');
  return record === undefined ? undefined : new SampleRecord(resolve(record), maxBytes);
}

/**
 * Prints as many samples as are asked for, each after an interval. A signal ends it with 130 or 143, also one that is
 * `silent`: it only records, and says what is wrong.
 */
async function printSamples(session: TopSession, terminal: Terminal, silent: boolean): Promise<number> {
  const { top, flags, intervalMs } = session;
  const { count = silent ? 0 : 1 } = flags;
  const interruption = new Interruption();
  interruption.listen();
  const news = new NewProblems(terminal);
  const draw = silent ? () => '' : flags.json ? await jsonLines(flags) : await tables(terminal, count !== 1);
  let answer: TopAnswer | undefined;
  try {
    await top.look();
    for (let printed = 0; count === 0 || printed < count; printed++) {
      const exitCode = await pause(interruption, intervalMs);
      if (exitCode !== undefined) return exitCode;
      // While there is no task, no write shows that the output is closed.
      if (!silent && terminal.isClosed()) return EXIT.ok;
      answer = await top.look();
      terminal.write(draw(answer, flags));
      news.show(answer);
    }
  } finally {
    interruption.close();
  }
  const { problems, exitCode } = answer as TopAnswer;
  return exitCode === EXIT.ok && hasError(problems) ? EXIT.partial : exitCode;
}

/** A sample as a line, its tasks by id, or in the order that the flags say. */
async function jsonLines(flags: TopFlags): Promise<(answer: TopAnswer) => string> {
  const { sort, reverse, pss } = flags;
  if (sort === undefined && !reverse) {
    return ({ sample, problems }) => `${jsonText(encodeTop(sample, problems, pss))}\n`;
  }
  const { topRows } = await import('../views/top.js');
  const order = orderOf({ sort: sort ?? 'task', reverse });
  return (answer) => {
    const tasks = topRows(answer, false, order).map(({ sample }) => sample);
    return `${jsonText(encodeTop({ ...answer.sample, tasks }, answer.problems, pss))}\n`;
  };
}

/** Loads the view. Of several samples, each has its time above it. */
async function tables(
  terminal: Terminal,
  several: boolean,
): Promise<(answer: TopAnswer, flags: TopFlags) => string> {
  const { topRows, topText } = await import('../views/top.js');
  return (answer, flags) => {
    const { processes, pss } = flags;
    const rows = topRows(answer, processes, orderOf(flags));
    const time = several ? `${timestamp(answer.sample.timeMs)}\n` : '';
    return time + topText(rows, answer, { processes, pss }, terminal.style(1)) + (several ? '\n' : '');
  };
}

/** Writes each new problem to stderr, once. */
class NewProblems {
  readonly #terminal: Terminal;
  readonly #messages = new Set<string>();
  #notice: string | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show({ problems, notice }: TopAnswer): void {
    const isNew = ({ message }: Problem) => !this.#messages.has(message);
    const fresh = problems.filter(isNew);
    for (const { message } of fresh) this.#messages.add(message);
    if (notice !== undefined && notice !== this.#notice) say(this.#terminal, notice);
    this.#notice = notice;
    this.#terminal.writeError(problemsText(fresh, this.#terminal.style(2).width));
  }
}
