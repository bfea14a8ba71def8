import { join } from 'node:path';
import type { Problem } from '../errors/problem.js';
import { backupName, backupNumbers } from '../layout/backups.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { runDirectory, STREAMS, type Stream } from '../layout/log-paths.js';
import { tooManyEntries } from '../store/problems.js';
import type { LogTree } from './log-tree.js';
import { tooLarge, unsafeName } from './problems.js';

export interface Backup {
  /** 1 is the newest. */
  number: number;
  path: string;
  bytes: number;
}

/** One stream of one run on disk. */
export interface LogFiles {
  stream: Stream;
  path: string;
  /** False if only backups are there, as between two steps of a rotation. */
  exists: boolean;
  /** Of the newest file; 0 if it doesn't exist. */
  bytes: number;
  /** Newest first. */
  backups: Backup[];
}

export interface LogListing {
  files: LogFiles[];
  problems: Problem[];
}

/** Where the logs of a task are. */
export interface LogDir {
  path: string;
  tree: LogTree;
}

/**
 * The logs of one run with their rotated backups, stdout first. A stream without any file is left out. A path that
 * is not a regular file in this directory, or can't be listed, is a problem.
 */
export async function logFiles(logDir: LogDir, process: string, run: number): Promise<LogListing> {
  const directory = runDirectory(logDir.path, process, run);
  if (directory === undefined) return { files: [], problems: [unsafeName(process)] };
  const listing: LogListing = { files: [], problems: [] };
  const { tree } = logDir;
  const listed = await tree.list(directory, MOST_ENTRIES.runFiles);
  if ('problem' in listed) listing.problems.push(listed.problem);
  if (!('names' in listed)) return listing;
  const { names, complete } = listed;
  if (!complete) listing.problems.push(tooManyEntries(directory, MOST_ENTRIES.runFiles));
  for (const stream of STREAMS) {
    const backups: Backup[] = [];
    for (const number of backupNumbers(names, stream)) {
      const path = join(directory, backupName(stream, number));
      const bytes = await sizeOf(path, tree, listing.problems);
      if (bytes !== undefined) backups.push({ number, path, bytes });
    }
    const path = join(directory, stream);
    const bytes = names.includes(stream) ? await sizeOf(path, tree, listing.problems) : undefined;
    if (bytes !== undefined || backups.length > 0) {
      listing.files.push({ stream, path, exists: bytes !== undefined, bytes: bytes ?? 0, backups });
    }
  }
  return listing;
}

/** The numbers of a log's backups, newest first; empty if its directory can't be listed. Reports an overfull directory. */
export async function listBackups(
  directory: string,
  stream: string,
  tree: LogTree,
  report?: (problem: Problem) => void,
): Promise<number[]> {
  const listed = await tree.list(directory, MOST_ENTRIES.runFiles);
  if (!('names' in listed)) return [];
  if (!listed.complete) report?.(tooManyEntries(directory, MOST_ENTRIES.runFiles));
  return backupNumbers(listed.names, stream);
}

async function sizeOf(path: string, tree: LogTree, problems: Problem[]): Promise<number | undefined> {
  const stat = await tree.stat(path);
  if ('problem' in stat) problems.push(stat.problem);
  if (!('id' in stat)) return undefined;
  if (stat.size !== undefined) {
    if (stat.size <= Number.MAX_SAFE_INTEGER) return stat.size;
    problems.push(tooLarge(path, stat.size));
    return undefined;
  }
  const opened = await tree.open(path);
  if ('problem' in opened) problems.push(opened.problem);
  if ('file' in opened) opened.file.close();
  return undefined;
}
