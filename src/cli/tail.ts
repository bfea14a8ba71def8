import { localTasks } from '../app/local-tasks.js';
import type { RootFlags } from '../app/search.js';
import { logPathsNamed, tailNamed } from '../app/tail.js';
import { badValue } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { STREAMS, type Stream } from '../layout/log-paths.js';
import type { RunChoice } from '../logs/choose.js';
import type { FollowShell } from '../logs/follower.js';
import { localLogs } from '../logs/local-logs.js';
import type { PrefixOf } from '../logs/log-printer.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { visible } from '../text/escape.js';
import { jsonText } from '../text/json.js';
import { eventText, linePrefix, pathsText } from '../views/tail.js';
import { Interruption } from './interruption.js';
import type { Style, Terminal } from './terminal.js';

export interface TailFlags extends RootFlags {
  lines: number | undefined;
  follow: boolean | undefined;
  stdout: boolean;
  stderr: boolean;
  run: RunChoice;
  prefix: boolean;
  path: boolean;
  json: boolean;
}

/** Prints logs of the tasks that the word matches; returns the exit code. */
export async function showLogs(
  word: string | undefined,
  processes: readonly string[],
  flags: TailFlags,
  terminal: Terminal,
  report: (problems: readonly Problem[]) => void,
): Promise<number> {
  const ports = { gatherer: localTasks(flags), logsOf: localLogs };
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
  const interruption = new Interruption();
  const shell: FollowShell = {
    write: (bytes) => terminal.write(bytes),
    event: (event) => terminal.writeError(`${visible(eventText(event))}\n`),
    report: reportProblem,
    catchSignals: () => interruption.listen(),
    pause: (until) => interruption.wait(until),
    signalled: interruption.signalled,
    outputClosed: () => terminal.isClosed(),
    now: () => performance.now(),
    changes: new DirectoryWatcher(),
  };
  const prefixOf = flags.prefix ? prefixer(terminal.style(1)) : undefined;
  try {
    const { lines, follow, json } = flags;
    return await tailNamed(word, { ...choice, lines, follow, json, prefixOf }, ports, shell);
  } finally {
    interruption.close();
  }
}

function prefixer(style: Style): PrefixOf {
  return (source, naming, colour) => linePrefix(source, naming, colour, style);
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

/** `2`, `-1`, `0,1`, `all`. Throws UsageError. */
export function parseRuns(texts: readonly string[]): RunChoice {
  if (texts.length === 1 && texts[0] === 'all') return 'all';
  for (const text of texts) {
    if (!/^-?\d{1,9}$/.test(text)) {
      throw badValue('--run', 'the number of a run (0 is the first, -1 the last) or all', text);
    }
  }
  return texts.map(Number);
}
