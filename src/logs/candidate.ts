import { isTerminalProcessState } from '../checkpoint/records.js';
import type { Problem } from '../errors/problem.js';
import type { Stream } from '../layout/log-paths.js';
import { isName } from '../layout/names.js';
import { firstDenied } from '../store/denied.js';
import type { ChosenProcess, RunChoice } from './choose.js';
import { isPresent, type Log, logsOf } from './log.js';
import { closedLogs, unsafeName } from './log-files.js';
import type { ProcessLogs, TaskLogs } from './task-logs.js';

/** A process that was chosen, with the logs of its chosen runs. */
export interface Candidate extends ChosenProcess {
  /** Of the runs that were chosen, whether they are there or not. */
  logs: Log[];
  present: Log[];
  /** It is followed: more may come. */
  goesOn: boolean;
  /** Its number, for a colour. */
  colour: number;
  /** Why its logs are not looked at. */
  refused?: Problem;
}

export function candidatesOf(
  chosen: readonly ChosenProcess[],
  { runs, streams }: { runs: RunChoice; streams: readonly Stream[] },
  follow: boolean,
): Candidate[] {
  return chosen.map((each, colour) => {
    const { task, process } = each;
    if (!isName(process.process)) {
      const refused = { ...unsafeName(process.process), task_id: task.task_id };
      return { ...each, logs: [], present: [], goesOn: false, colour, refused };
    }
    const logs = each.runs.flatMap((run) => logsOf(task, process, run, streams, colour));
    const closed = closedDirectory(task, process, each.runs);
    if (closed !== undefined) {
      const refused = closedLogs(task.task_id, closed);
      return { ...each, logs, present: [], goesOn: false, colour, refused };
    }
    const goesOn = follow && mayGoOn(task, process, runs);
    return { ...each, logs, present: logs.filter(isPresent), goesOn, colour };
  });
}

/** The directory that keeps us from all the logs of these runs, if one does. */
function closedDirectory(
  { log_dir }: TaskLogs,
  { process }: ProcessLogs,
  runs: readonly number[],
): string | undefined {
  if (log_dir === undefined || runs.length === 0) return undefined;
  const closed = runs.map((run) => firstDenied(log_dir.path, process, String(run)));
  return closed.includes(undefined) ? undefined : closed[0];
}

/** Can anything be added to the logs of the runs that were chosen (none of their numbers negative)? */
export function mayGoOn(task: TaskLogs, process: ProcessLogs, runs: RunChoice): boolean {
  if (task.done || process.done || process.destination === 'none' || process.destination === 'console')
    return false;
  if (typeof runs === 'string') return true;
  const last = process.started - 1;
  return runs.includes(last) && !isTerminalProcessState(process.runs[last]?.state);
}
