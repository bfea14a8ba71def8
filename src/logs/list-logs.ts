import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { runOfName, type Stream } from '../layout/log-paths.js';
import { isName } from '../layout/names.js';
import { listDirectory } from '../store/list.js';
import { cannotList, type LogDir, logFiles, tooManyFiles, unsafeName } from './log-files.js';

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
  logDir: LogDir,
  processes: Iterable<string>,
): { files: LogFile[]; problems: Problem[] } {
  const files: LogFile[] = [];
  const problems: Problem[] = [];
  for (const process of processes) {
    for (const run of runsOnDisk(logDir, process, problems)) {
      const listing = logFiles(logDir, process, run);
      for (const each of listing.problems) problems.push(each);
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
function runsOnDisk(logDir: LogDir, process: string, problems: Problem[]): number[] {
  if (!isName(process)) {
    problems.push(unsafeName(process));
    return [];
  }
  const path = `${logDir.path}/${process}`;
  try {
    const { entries, complete } = listDirectory(path, { below: logDir.access.below, max: MOST_ENTRIES.runs });
    if (!complete) problems.push(tooManyFiles(path, MOST_ENTRIES.runs));
    return entries
      .map(({ name }) => runOfName(name))
      .filter((run) => run !== undefined)
      .sort((a, b) => a - b);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') problems.push({ ...cannotList(path, error), process });
    return [];
  }
}
