import { readdirSync } from 'node:fs';
import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isSafeProcessName, logFiles, type Stream, unsafeName } from './log-files.js';

/** A log file of a task, or a rotated backup of one. */
export interface LogFile {
  process: string;
  run: number;
  stream: Stream;
  path: string;
  bytes: number;
}

/**
 * All log files of the given processes, by process, run and stream; a stream's backups behind it, the newest
 * first. Only runs that have a directory are looked into. What can't be listed is a problem.
 */
export function listLogs(
  logDir: string,
  processes: Iterable<string>,
): { files: LogFile[]; problems: Problem[] } {
  const files: LogFile[] = [];
  const problems: Problem[] = [];
  for (const process of processes) {
    for (const run of runsOnDisk(logDir, process, problems)) {
      const listing = logFiles(logDir, process, run);
      problems.push(...listing.problems);
      for (const { stream, path, bytes, backups } of listing.files) {
        files.push({ process, run, stream, path, bytes });
        for (const backup of backups) {
          files.push({ process, run, stream, path: backup.path, bytes: backup.bytes });
        }
      }
    }
  }
  return { files, problems };
}

/** The numbers of the runs that have a directory, ascending. */
function runsOnDisk(logDir: string, process: string, problems: Problem[]): number[] {
  if (!isSafeProcessName(process)) {
    problems.push(unsafeName(process));
    return [];
  }
  const path = `${logDir}/${process}`;
  try {
    return readdirSync(path)
      .filter((name) => /^(0|[1-9]\d{0,8})$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return [];
    const hint = code === 'EACCES' ? 'run it again with sudo' : undefined;
    const message = `cannot list the logs in ${path}: ${describeErrno(error)}`;
    problems.push({ code: 'log-unreadable', severity: 'error', message, path, process, hint });
    return [];
  }
}
