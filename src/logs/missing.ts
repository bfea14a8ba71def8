import type { Problem } from '../errors/problem.js';
import type { ProcessLogs, TaskLogs } from './task-logs.js';

/** Why a requested process has no log to read, as far as can be determined. Pure. */
export function whyNoLog(task: TaskLogs, process: ProcessLogs, path: string | undefined): Problem {
  const about = { task_id: task.task_id, process: process.process, severity: 'warning' as const };
  const name = `${process.process} of ${task.task_id}`;
  if (process.started === 0) {
    const never = task.done ? 'never started' : 'has not started yet';
    return { ...about, code: 'log-not-started', message: `${name} ${never}: it has no log` };
  }
  if (process.destination === 'none') {
    return {
      ...about,
      code: 'log-not-kept',
      message: `${name} keeps no log: its logger's destination is none`,
    };
  }
  if (process.destination === 'console') {
    return {
      ...about,
      code: 'log-not-kept',
      message: `${name} has no log file: its logger's destination is console`,
      hint: "its output is part of the runner's output; under Mesos, of the executor's stdout and stderr",
    };
  }
  if (task.log_dir === undefined) {
    return { ...about, code: 'log-missing', message: `the log directory of ${task.task_id} is not recorded` };
  }
  if (!task.log_dir.found) {
    const what = task.log_dir.in_sandbox
      ? 'the logs were collected, but the sandbox was not'
      : 'the sandbox was collected';
    const gone = `the log directory ${task.log_dir.path} is gone: ${what}`;
    return { ...about, code: 'log-collected', message: gone, path: task.log_dir.path };
  }
  const where = path ?? task.log_dir.path;
  return { ...about, code: 'log-missing', message: `there is no log ${where}`, path: where };
}
