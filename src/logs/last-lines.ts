import { basename, dirname } from 'node:path';
import type { Problem } from '../errors/problem.js';
import { backupName } from '../layout/backups.js';
import { listBackups } from './log-files.js';
import { closeLog, type LogAccess, openLog, readAt } from './open-log.js';

export interface LastLines {
  /** Without their newlines; bytes that are not UTF-8 are U+FFFD. */
  lines: string[];
  /** True if the first line lacks its beginning, because of `maxBytes`. */
  cut: boolean;
  /** Why nothing could be read; absent and empty logs have none. */
  problem?: Problem;
}

/**
 * The last n lines of LOG_DIR/PROCESS/RUN/STREAM, going on into its rotated backups, but never more than the
 * last `maxBytes` of it. Never blocks and follows no link out of the directory (`openLog`).
 */
export function lastLines(
  path: string,
  n: number,
  access: LogAccess,
  { maxBytes = 64 * 1024 } = {},
): LastLines {
  const parts: Buffer[] = [];
  let room = maxBytes;
  let cut = false;
  const seen = new Set<string>();
  const older = listBackups(dirname(path), basename(path), access).map((number) => backupName(path, number));
  for (const candidate of [path, ...older]) {
    const opened = openLog(candidate, access);
    if ('problem' in opened) {
      if (parts.length === 0) return { lines: [], cut: false, problem: opened.problem };
      break;
    }
    if ('absent' in opened || seen.has(opened.file.id)) continue;
    seen.add(opened.file.id);
    try {
      const length = Math.min(room, opened.file.size);
      const buffer = Buffer.alloc(length);
      const got = readAt(opened.file, buffer, length, opened.file.size - length);
      parts.unshift(buffer.subarray(0, got));
      room -= length;
      cut = length < opened.file.size;
    } finally {
      closeLog(opened.file);
    }
    if (cut || countNewlines(parts) > n) break;
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (text === '' || n <= 0) return { lines: [], cut: false };
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.length > n ? { lines: lines.slice(-n), cut: false } : { lines, cut };
}

function countNewlines(parts: readonly Buffer[]): number {
  let count = 0;
  for (const part of parts) for (const byte of part) if (byte === 10) count += 1;
  return count;
}
