import type { Problem } from '../errors/problem.js';
import type { Stream } from '../layout/log-paths.js';
import { type LogDir, logFiles } from './log-files.js';
import { runsOnDisk } from './runs-on-disk.js';

/** A log file of a task, or a rotated backup of one. */
export interface LogFile {
  process: string;
  run: number;
  stream: Stream;
  path: string;
  bytes: number;
}

/**
 * All log files of the given processes, by process, run and stream; each stream is followed by its backups, newest
 * first. Only runs that have a directory are read. A directory that can't be listed is a problem.
 */
export async function listLogs(
  logDir: LogDir,
  processes: Iterable<string>,
): Promise<{ files: LogFile[]; problems: Problem[] }> {
  const files: LogFile[] = [];
  const problems: Problem[] = [];
  for (const process of processes) {
    const onDisk = await runsOnDisk(logDir, process);
    for (const each of onDisk.problems) problems.push(each);
    for (const run of onDisk.runs) {
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
