import { isTerminalProcessState } from '../checkpoint/records.js';
import type { Problem } from '../errors/problem.js';
import type { ChosenProcess, RunChoice } from './choose.js';
import { isPresent, type Log, logsOf } from './log.js';
import { isSafeProcessName, type Stream, unsafeName } from './log-files.js';
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
    if (!isSafeProcessName(process.process)) {
      const refused = { ...unsafeName(process.process), task_id: task.task_id };
      return { ...each, logs: [], present: [], goesOn: false, colour, refused };
    }
    const logs = each.runs.flatMap((run) => logsOf(task, process, run, streams, colour));
    const goesOn = follow && mayGoOn(task, process, runs);
    return { ...each, logs, present: logs.filter(isPresent), goesOn, colour };
  });
}

/** Can anything be added to the logs of the runs that were chosen (none of their numbers negative)? */
export function mayGoOn(task: TaskLogs, process: ProcessLogs, runs: RunChoice): boolean {
  if (task.done || process.done || process.destination === 'none' || process.destination === 'console')
    return false;
  if (typeof runs === 'string') return true;
  const last = process.started - 1;
  return runs.includes(last) && !isTerminalProcessState(process.runs[last]?.state);
}
