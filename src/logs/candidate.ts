import { isTerminalProcessState } from '../checkpoint/records.js';
import type { Problem } from '../errors/problem.js';
import type { Stream } from '../layout/log-paths.js';
import { isName } from '../layout/names.js';
import type { ChosenProcess, RunChoice } from './choose.js';
import { isPresent, type Log, logsOf } from './log.js';
import { closedLogs, unsafeName } from './problems.js';
import type { ProcessLogs, TaskLogs } from './task-logs.js';

/** A process that was chosen, with the logs of its chosen runs. */
export interface LogCandidate extends ChosenProcess {
  /** The logs of the chosen runs, whether they exist or not. */
  logs: Log[];
  /** The logs that exist. */
  present: Log[];
  /** True if it is followed because more may come. */
  goesOn: boolean;
  /** Its number, to choose a colour. */
  colour: number;
  /** Why its logs are not read. */
  refused?: Problem;
}

/** The chosen processes with their logs. */
export async function candidatesOf(
  chosen: readonly ChosenProcess[],
  choice: { runs: RunChoice; streams: readonly Stream[] },
  follow: boolean,
): Promise<LogCandidate[]> {
  const candidates: LogCandidate[] = [];
  for (const each of chosen) candidates.push(await candidateOf(each, choice, follow, candidates.length));
  return candidates;
}

async function candidateOf(
  chosen: ChosenProcess,
  { runs, streams }: { runs: RunChoice; streams: readonly Stream[] },
  follow: boolean,
  colour: number,
): Promise<LogCandidate> {
  const { task, process } = chosen;
  if (!isName(process.process)) {
    const refused = { ...unsafeName(process.process), task_id: task.task_id };
    return { ...chosen, logs: [], present: [], goesOn: false, colour, refused };
  }
  const logs = chosen.runs.flatMap((run) => logsOf(task, process, run, streams, colour));
  const closed = await closedDirectory(task, process, chosen.runs);
  if (closed !== undefined) {
    const refused = closedLogs(task.task_id, closed);
    return { ...chosen, logs, present: [], goesOn: false, colour, refused };
  }
  const present: Log[] = [];
  for (const log of logs) if (await isPresent(log)) present.push(log);
  return { ...chosen, logs, present, goesOn: follow && mayGoOn(task, process, runs), colour };
}

/** The directory that denies access to all the logs of these runs, if there is one. */
async function closedDirectory(
  { log_dir }: TaskLogs,
  { process }: ProcessLogs,
  runs: readonly number[],
): Promise<string | undefined> {
  let first: string | undefined;
  if (log_dir === undefined) return undefined;
  for (const run of runs) {
    const closed = await log_dir.tree.denied(log_dir.path, process, String(run));
    if (closed === undefined) return undefined;
    first ??= closed;
  }
  return first;
}

/** Whether the logs of the chosen runs can still grow. The run numbers must not be negative. */
export function mayGoOn(task: TaskLogs, process: ProcessLogs, runs: RunChoice): boolean {
  if (task.done || process.done || process.destination === 'none' || process.destination === 'console')
    return false;
  if (typeof runs === 'string') return true;
  const last = process.started - 1;
  return runs.includes(last) && !isTerminalProcessState(process.runs[last]?.state);
}
