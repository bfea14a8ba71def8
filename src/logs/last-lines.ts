import { basename, dirname } from 'node:path';
import type { Problem } from '../errors/problem.js';
import { backupName } from '../layout/backups.js';
import { listBackups } from './log-files.js';
import type { LogTree } from './log-tree.js';

export interface LastLines {
  /** Without their newlines; bytes that are not UTF-8 are U+FFFD. */
  lines: string[];
  /** True if `maxBytes` cut off the beginning of the first line. */
  cut: boolean;
  /** Why nothing could be read; absent and empty logs have none. */
  problem?: Problem;
}

/**
 * The last n lines of LOG_DIR/PROCESS/RUN/STREAM, continued in its rotated backups, but never more than the
 * last `maxBytes`. Never blocks and follows no link out of the directory (`LogTree`).
 */
export async function lastLines(
  path: string,
  n: number,
  tree: LogTree,
  { maxBytes = 64 * 1024 } = {},
): Promise<LastLines> {
  const parts: Buffer[] = [];
  let room = maxBytes;
  let cut = false;
  const seen = new Set<string>();
  const backups = await listBackups(dirname(path), basename(path), tree);
  const older = backups.map((number) => backupName(path, number));
  for (const candidate of [path, ...older]) {
    const opened = await tree.open(candidate);
    if ('problem' in opened) {
      if (parts.length === 0) return { lines: [], cut: false, problem: opened.problem };
      break;
    }
    if ('absent' in opened) continue;
    const { file } = opened;
    try {
      if (seen.has(file.id)) continue;
      seen.add(file.id);
      const length = Math.min(room, file.size);
      const buffer = Buffer.alloc(length);
      const got = await file.readAt(buffer, length, file.size - length);
      parts.unshift(buffer.subarray(0, got));
      room -= length;
      cut = length < file.size;
    } finally {
      file.close();
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
