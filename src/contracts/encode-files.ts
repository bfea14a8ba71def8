import type { Problem } from '../errors/problem.js';
import type { SandboxEntry } from '../sandbox/sandbox-tree.js';
import { textOf } from '../store/walk.js';
import { encodeInteger } from './encode.js';
import type { CatDocument, LsDocument } from './files.js';

export interface ListedFiles {
  task_id: string;
  path: string;
  entries: readonly { name: string; entry: SandboxEntry }[];
  problems: Problem[];
}

/** The last time of JavaScript; file systems have later ones. */
const LAST_MS = 8.64e15;

/** The document of `ls`. */
export function encodeList({ task_id, path, entries, problems }: ListedFiles): LsDocument {
  return {
    task_id,
    path,
    entries: entries.map(({ name, entry }) => ({
      name,
      type: entry.type,
      bytes: encodeInteger(BigInt(entry.bytes)),
      mtime_ms: Math.round(Math.min(LAST_MS, Math.max(-LAST_MS, entry.mtime_ms))),
      mode: entry.mode.toString(8).padStart(4, '0'),
      owner: entry.owner,
      target: entry.target === undefined ? undefined : textOf(entry.target),
    })),
    problems,
  };
}

/** A line of `cat`: the bytes as text if they are UTF-8. */
export function encodePiece(task_id: string, path: string, offset: number, bytes: Buffer): CatDocument {
  const text = bytes.toString('utf8');
  // U+FFFD itself takes three bytes.
  const isText = Buffer.byteLength(text) === bytes.length && Buffer.from(text).equals(bytes);
  return isText
    ? { task_id, path, offset, data: text, encoding: 'utf8' }
    : { task_id, path, offset, data: bytes.toString('base64'), encoding: 'base64' };
}
