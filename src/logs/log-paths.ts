import type { Problem } from '../errors/problem.js';
import type { LogCandidate } from './candidate.js';
import type { LogFile } from './list-logs.js';
import { byStart } from './log.js';
import { logFiles } from './log-files.js';

/** A file of a log: the newest or a backup. */
export interface LogPath extends LogFile {
  task_id: string;
}

/** The files of the logs; the files of each log in the order in which they were written. */
export async function logPaths(
  candidates: readonly LogCandidate[],
): Promise<{ paths: LogPath[]; problems: Problem[] }> {
  const paths: LogPath[] = [];
  const problems: Problem[] = [];
  for (const { source, path, log_dir } of byStart(candidates.flatMap(({ present }) => present))) {
    const { task_id, process, run, stream } = source;
    const listing = await logFiles(log_dir, process, run);
    const newest = listing.files.find((file) => file.stream === stream);
    const about = { task_id, process, run, stream };
    for (const backup of newest?.backups.toReversed() ?? []) {
      paths.push({ ...about, path: backup.path, bytes: backup.bytes });
    }
    if (newest?.exists) paths.push({ ...about, path: newest.path, bytes: newest.bytes });
    for (const problem of listing.problems) {
      if (problem.path === undefined || problem.path.startsWith(path))
        problems.push({ ...problem, task_id, process });
    }
  }
  return { paths, problems };
}
