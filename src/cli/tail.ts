import { isUtf8 } from 'node:buffer';
import { localTasks } from '../app/local-tasks.js';
import type { RootFlags } from '../app/search.js';
import { logPathsNamed, tailNamed } from '../app/tail.js';
import { badValue, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { STREAMS, type Stream } from '../layout/log-paths.js';
import { PREVIOUS, type RunChoice } from '../logs/choose.js';
import type { FollowShell } from '../logs/follower.js';
import type { LineChoice } from '../logs/line-filter.js';
import { localLogs } from '../logs/local-logs.js';
import type { PrefixOf } from '../logs/log-printer.js';
import type { LinePattern } from '../logs/pattern.js';
import type { TailOptions } from '../logs/tail.js';
import type { TimeWindow } from '../logs/time-window.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { jsonText } from '../text/json.js';
import { parseTime } from '../text/time.js';
import {
  alignedPrefixes,
  eventText,
  linePrefix,
  lineText,
  type PrefixedLog,
  pathsText,
  stampText,
} from '../views/tail.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import { say } from './failure.js';
import { Interruption } from './interruption.js';
import type { Style, Terminal } from './terminal.js';

export interface TailFlags extends RootFlags, AgentFlags {
  lines: number | undefined;
  follow: boolean | undefined;
  stdout: boolean;
  stderr: boolean;
  run: RunChoice;
  prefix: boolean;
  path: boolean;
  json: boolean;
  since?: string;
  until?: string;
  timestamps: boolean;
  grep?: string[];
  exclude?: string[];
  highlight?: string[];
  'ignore-case': boolean;
  raw: boolean;
}

/** Prints logs of the tasks that the word matches; returns the exit code. */
export async function showLogs(
  word: string | undefined,
  processes: readonly string[],
  flags: TailFlags,
  terminal: Terminal,
  report: (problems: readonly Problem[]) => void,
): Promise<number> {
  const agents = await agentsOf(flags, terminal, word === undefined ? [] : [word]);
  const here = { gatherer: localTasks(flags), logsOf: localLogs };
  const follows = flags.follow !== false && !flags.path;
  const ports = {
    gatherer: agents?.gatherer ?? here.gatherer,
    logsOf: (follows ? agents?.liveLogsOf : agents?.logsOf) ?? here.logsOf,
    now: () => terminal.now(),
  };
  const choice = { processes, runs: flags.run, streams: streamsOf(flags) };
  const reportProblem = (problem: Problem) => {
    if (flags.json) terminal.write(`${jsonText({ problem })}\n`);
    report([problem]);
  };
  if (flags.path) {
    const { paths, problems } = await logPathsNamed(word, choice, ports);
    const text = flags.json ? paths.map((path) => `${jsonText(path)}\n`).join('') : pathsText(paths);
    terminal.write(text);
    for (const problem of problems) reportProblem(problem);
    return hasError(problems) ? EXIT.partial : EXIT.ok;
  }
  const style = terminal.style(1);
  const window = windowOf(flags, terminal.now());
  const patterns = await patternsOf(flags);
  const interruption = new Interruption();
  const shell: FollowShell = {
    write: (bytes) => terminal.write(bytes),
    event: (event, ofSeveral) => say(terminal, eventText(event, ofSeveral)),
    report: reportProblem,
    catchSignals: () => interruption.listen(),
    pause: (until) => interruption.wait(until),
    signalled: interruption.signalled,
    outputClosed: () => terminal.isClosed(),
    now: () => performance.now(),
    changes: agents?.changes() ?? new DirectoryWatcher(),
  };
  const { lines, json } = flags;
  const isOver = window?.until !== undefined && window.until <= terminal.now();
  const options = {
    ...choice,
    lines,
    json,
    window,
    stopAt: window?.until === undefined ? undefined : shell.now() + window.until - terminal.now(),
    follow: isOver ? false : flags.follow,
    choice: patterns.choice,
    timestamps: flags.timestamps ? timestampsOf(style, terminal) : undefined,
    draw: json ? undefined : drawingOf(style, flags.raw, patterns.marks),
    prefixOf: flags.prefix ? prefixer(style) : undefined,
  };
  try {
    return await tailNamed(word, options, ports, shell);
  } finally {
    interruption.close();
    agents?.close();
  }
}

/** On a terminal, prefixes are in columns that get wider with the logs that are added. */
function prefixer(style: Style): PrefixOf {
  if (!style.tty) return (source, naming, colour) => linePrefix(source, naming, colour, style);
  const logs: PrefixedLog[] = [];
  let texts: readonly string[] = [];
  return (source, naming, colour, { user, name }) => {
    const at = logs.push({ source, naming, colour, recorded: { user, name } }) - 1;
    return () => {
      if (texts.length < logs.length) texts = alignedPrefixes(logs, style);
      return texts[at] as string;
    };
  };
}

function timestampsOf(style: Style, terminal: Terminal): NonNullable<TailOptions['timestamps']> {
  return { now: () => terminal.now(), text: (arrival) => stampText(arrival, style) };
}

/** Undefined if the bytes of lines are printed as they are. */
function drawingOf(style: Style, raw: boolean, marks: readonly LinePattern[]): TailOptions['draw'] {
  const isMarked = style.colour > 0 && marks.length > 0;
  return (hasPrefix) => {
    const escapes = style.tty && hasPrefix && !raw;
    if (!escapes && !isMarked) return undefined;
    return (line) => {
      if (!escapes && !isUtf8(line)) return line;
      const text = line.toString('utf8');
      const spans = isMarked ? joined(marks.flatMap((mark) => mark.spans(text))) : [];
      return lineText(text, { escapes, spans }, style);
    };
  };
}

/** Ascending, without what overlaps. */
function joined(spans: readonly [number, number][]): [number, number][] {
  const ascending = [...spans].sort(([a], [b]) => a - b);
  const result: [number, number][] = [];
  for (const [from, to] of ascending) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

/** Throws UsageError. */
function windowOf({ since, until }: TailFlags, now: number): TimeWindow | undefined {
  if (since === undefined && until === undefined) return undefined;
  const window: TimeWindow = {};
  if (since !== undefined) window.since = parseTime(since, 'since', now);
  if (until !== undefined) window.until = parseTime(until, 'until', now);
  if ((window.since ?? 0) > (window.until ?? Number.POSITIVE_INFINITY)) {
    throw new UsageError('usage', `--since ${since} is later than --until ${until}`);
  }
  return window;
}

/** Loads the regular expressions only if there are some. */
async function patternsOf(flags: TailFlags): Promise<{ choice?: LineChoice; marks: LinePattern[] }> {
  const { grep, exclude, highlight } = flags;
  if ((grep ?? exclude ?? highlight) === undefined) return { marks: [] };
  const { linePattern } = await import('../logs/pattern.js');
  const patternOf = (flag: 'grep' | 'exclude' | 'highlight') => {
    const texts = flags[flag];
    return texts === undefined ? undefined : linePattern(flag, texts, flags['ignore-case']);
  };
  const found = { grep: patternOf('grep'), exclude: patternOf('exclude') };
  const marks = [found.grep, patternOf('highlight')].filter((mark) => mark !== undefined);
  return { choice: grep === undefined && exclude === undefined ? undefined : found, marks };
}

function streamsOf({ stdout, stderr }: TailFlags): Stream[] {
  if (stdout === stderr) return [...STREAMS];
  return stdout ? ['stdout'] : ['stderr'];
}

/** `10`, `all`: undefined. Throws UsageError. */
export function parseLines(text: string): number | undefined {
  if (text === 'all') return undefined;
  const lines = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(lines)) return lines;
  throw badValue('--lines', 'a number of lines or all', text);
}

/** Which runs the flags choose. Throws UsageError. */
export function runsOf(flags: {
  run?: string[];
  previous: boolean;
  since?: string;
  until?: string;
}): RunChoice {
  if (flags.run !== undefined) return parseRuns(flags.run);
  if (flags.previous) return [PREVIOUS];
  return flags.since === undefined && flags.until === undefined ? 'last' : 'all';
}

/** `2`, `-1`, `0,1`, `all`. Throws UsageError. */
function parseRuns(texts: readonly string[]): RunChoice {
  if (texts.length === 1 && texts[0] === 'all') return 'all';
  for (const text of texts) {
    if (!/^-?\d{1,9}$/.test(text)) {
      throw badValue('--run', 'the number of a run (0 is the first, -1 the last) or all', text);
    }
  }
  return texts.map(Number);
}
