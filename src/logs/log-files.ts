import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { closeLog, openLog, tooLarge } from './open-log.js';

export const STREAMS = ['stdout', 'stderr'] as const;
export type Stream = (typeof STREAMS)[number];

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

/** False for a process name that would lead out of the log directory: names come from the checkpoint. */
export function isSafeProcessName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

/** LOG_DIR/PROCESS/RUN, or undefined if the name of the process can't be joined to a path. */
export function runDirectory(logDir: string, process: string, run: number): string | undefined {
  if (!isSafeProcessName(process) || !Number.isSafeInteger(run) || run < 0) return undefined;
  return join(logDir, process, String(run));
}

/** The problem of a process whose name can't be joined to a path. */
export function unsafeName(process: string): Problem {
  return {
    code: 'log-name-refused',
    severity: 'error',
    message: `the process name ${JSON.stringify(process)} leads out of the log directory: its logs are not read`,
    process,
  };
}

/** The problem of logs that may not be looked at: one, however many they are. */
export function closedLogs(task_id: string, path: string): Problem {
  return {
    code: 'log-unreadable',
    severity: 'error',
    message: `cannot look at the logs of ${task_id} in ${path}: permission denied`,
    path,
    task_id,
    hint: "read them as root or as the task's user, for example with sudo",
  };
}

/**
 * The logs of one run with their rotated backups, stdout first. A stream without any file is left out. What is
 * no regular file of this directory, or can't be listed, is a problem.
 */
export function logFiles(logDir: string, process: string, run: number): LogListing {
  const directory = runDirectory(logDir, process, run);
  if (directory === undefined) return { files: [], problems: [unsafeName(process)] };
  const listing: LogListing = { files: [], problems: [] };
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') listing.problems.push(cannotList(directory, error));
    return listing;
  }
  for (const stream of STREAMS) {
    const backups: Backup[] = [];
    for (const number of backupNumbers(names, stream)) {
      const path = join(directory, `${stream}.${number}`);
      const bytes = sizeOf(path, listing.problems);
      if (bytes !== undefined) backups.push({ number, path, bytes });
    }
    const path = join(directory, stream);
    const bytes = names.includes(stream) ? sizeOf(path, listing.problems) : undefined;
    if (bytes !== undefined || backups.length > 0) {
      listing.files.push({ stream, path, exists: bytes !== undefined, bytes: bytes ?? 0, backups });
    }
  }
  return listing;
}

/** The N of each `STREAM.N` among the names, ascending: the newest backup first. */
export function backupNumbers(names: readonly string[], stream: string): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    if (!name.startsWith(`${stream}.`)) continue;
    const digits = name.slice(stream.length + 1);
    if (/^[1-9]\d{0,8}$/.test(digits)) numbers.push(Number(digits));
  }
  return numbers.sort((a, b) => a - b);
}

/** As `backupNumbers`, of a directory; empty if it can't be listed. */
export function listBackups(directory: string, stream: string): number[] {
  try {
    return backupNumbers(readdirSync(directory), stream);
  } catch {
    return [];
  }
}

function sizeOf(path: string, problems: Problem[]): number | undefined {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (stat.isFile()) {
      if (Number.isSafeInteger(stat.size)) return stat.size;
      problems.push(tooLarge(path, stat.size));
      return undefined;
    }
    const opened = openLog(path);
    if ('problem' in opened) problems.push(opened.problem);
    if ('file' in opened) {
      closeLog(opened.file);
      return opened.file.size;
    }
  } catch (error) {
    problems.push(cannotList(path, error));
  }
  return undefined;
}

function cannotList(path: string, error: unknown): Problem {
  const denied = errnoOf(error) === 'EACCES';
  return {
    code: 'log-unreadable',
    severity: 'error',
    message: `cannot read ${path}: ${describeErrno(error)}`,
    path,
    ...(denied ? { hint: "read it as root or as the task's user, for example with sudo" } : {}),
  };
}
