import type { Problem } from '../errors/problem.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { runOfName, type Stream } from '../layout/log-paths.js';
import { isName } from '../layout/names.js';
import { tooManyEntries } from '../store/problems.js';
import { type LogDir, logFiles } from './log-files.js';
import { unsafeName } from './problems.js';

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
export async function listLogs(
  logDir: LogDir,
  processes: Iterable<string>,
): Promise<{ files: LogFile[]; problems: Problem[] }> {
  const files: LogFile[] = [];
  const problems: Problem[] = [];
  for (const process of processes) {
    for (const run of await runsOnDisk(logDir, process, problems)) {
      const listing = await logFiles(logDir, process, run);
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
async function runsOnDisk(logDir: LogDir, process: string, problems: Problem[]): Promise<number[]> {
  if (!isName(process)) {
    problems.push(unsafeName(process));
    return [];
  }
  const path = `${logDir.path}/${process}`;
  const listed = await logDir.tree.list(path, MOST_ENTRIES.runs);
  if ('problem' in listed) problems.push({ ...listed.problem, process });
  if (!('names' in listed)) return [];
  if (!listed.complete) problems.push(tooManyEntries(path, MOST_ENTRIES.runs));
  return listed.names
    .map(runOfName)
    .filter((run) => run !== undefined)
    .sort((a, b) => a - b);
}
