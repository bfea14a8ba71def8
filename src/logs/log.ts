import { join } from 'node:path';
import { runDirectory, type Stream } from '../layout/log-paths.js';
import type { LineSource } from './line-output.js';
import { type LogDir, listBackups } from './log-files.js';
import type { ProcessLogs, TaskLogs } from './task-logs.js';

/** One log that may be read. */
export interface Log {
  source: LineSource;
  log_dir: LogDir;
  /** LOG_DIR/PROCESS/RUN/STREAM */
  path: string;
  /** LOG_DIR/PROCESS/RUN */
  directory: string;
  /** The number of its process, to choose a colour. */
  colour: number;
  /** When the run began; infinite if unknown. */
  start: number;
  /** When the run ended, in seconds since the epoch as `start`; undefined if it runs or that is unknown. */
  stop?: number;
  task: Pick<TaskLogs, 'user' | 'name'>;
}

/** The logs of one run; none if their place is not known or the process's name can't be part of a path. */
export function logsOf(
  task: TaskLogs,
  process: ProcessLogs,
  run: number,
  streams: readonly Stream[],
  colour: number,
): Log[] {
  const { log_dir } = task;
  const directory = log_dir && runDirectory(log_dir.path, process.process, run);
  if (log_dir === undefined || directory === undefined) return [];
  const start = process.runs[run]?.start_time ?? Number.NaN;
  return streams.map((stream) => ({
    source: { task_id: task.task_id, root: task.root, process: process.process, run, stream },
    log_dir,
    path: join(directory, stream),
    directory,
    colour,
    start: Number.isFinite(start) ? start : Number.POSITIVE_INFINITY,
    stop: process.runs[run]?.stop_time,
    task,
  }));
}

/** Sorts logs by the start of their runs. Lines have no times, so nothing finer is known. */
export function byStart(logs: readonly Log[]): Log[] {
  const tasks = [...new Set(logs.map(taskKey))];
  return [...logs].sort((a, b) => {
    const task = tasks.indexOf(taskKey(a)) - tasks.indexOf(taskKey(b));
    return task !== 0 ? task : a.start < b.start ? -1 : a.start > b.start ? 1 : 0;
  });
}

function taskKey({ source }: Log): string {
  return `${source.root}\n${source.task_id}`;
}

/** True if the log or a backup of it exists, or if that can't be determined. */
export async function isPresent({ path, directory, source, log_dir }: Log): Promise<boolean> {
  if (!('absent' in (await log_dir.tree.stat(path)))) return true;
  return (await listBackups(directory, source.stream, log_dir.tree)).length > 0;
}
