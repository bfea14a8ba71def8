import { closeSync, fstatSync, openSync, readSync, readvSync } from 'node:fs';
import { isId, isPair, isRecord } from '../wire.js';

/** Its name in the build. */
export const SNAPSHOT = 'python.snapshot';

/** The beginning and the length of a part of the memory that is not zero everywhere. */
type MemoryRun = readonly [begin: number, length: number];

/** What the first line of a snapshot says; the bytes of its runs follow. */
interface Header {
  /** `buildOf` the code that made it. */
  readonly build: string;
  /** The size of the memory. */
  readonly size: number;
  readonly runs: readonly MemoryRun[];
}

const PAGE = 4096;

/** A shorter gap between two runs is cheaper to read than another part is to find. */
const GAP = 4 * PAGE;

/** Parts in one system call. */
const PARTS = 1024;

/** Longer than any first line. */
const MOST_HEADER = 1 << 20;

/**
 * The file for a memory: without the pages that are zero, unless the memory of a new instance is not zero there.
 * Pure.
 */
export function snapshotOf(build: string, memory: Uint8Array, fresh: Uint8Array): Uint8Array[] {
  const runs: [begin: number, length: number][] = [];
  for (let begin = 0; begin < memory.length; begin += PAGE) {
    if (isZero(memory, begin) && isZero(fresh, begin)) continue;
    const last = runs.at(-1);
    if (last !== undefined && begin - (last[0] + last[1]) <= GAP) last[1] = begin + PAGE - last[0];
    else runs.push([begin, PAGE]);
  }
  const header: Header = { build, size: memory.length, runs };
  return [
    Buffer.from(`${JSON.stringify(header)}\n`),
    ...runs.map(([begin, length]) => memory.subarray(begin, begin + length)),
  ];
}

function isZero(memory: Uint8Array, begin: number): boolean {
  return memory.subarray(begin, begin + PAGE).every((byte) => byte === 0);
}

/** An open snapshot. */
export interface Snapshot {
  readonly size: number;
  /** Reads it into a memory of at least its size that a new instance has, and closes it. */
  load(memory: Uint8Array): void;
}

/** Throws if the file is not a snapshot of this build. */
export function openSnapshot(path: string, build: string): Snapshot {
  const fd = openSync(path, 'r');
  try {
    const { header, begin } = readHeader(fd);
    const bytes = header.runs.reduce((sum, [, length]) => sum + length, begin);
    if (header.build !== build || fstatSync(fd).size !== bytes) throw new Error('another snapshot');
    return { size: header.size, load: (memory) => load(fd, begin, header, memory) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readHeader(fd: number): { header: Header; begin: number } {
  for (let most = 1 << 14; most <= MOST_HEADER; most *= 4) {
    const bytes = Buffer.alloc(most);
    const end = bytes.subarray(0, readSync(fd, bytes, 0, most, 0)).indexOf(0x0a);
    if (end === -1) continue;
    const header: unknown = JSON.parse(bytes.toString('latin1', 0, end));
    if (isHeader(header)) return { header, begin: end + 1 };
    break;
  }
  throw new Error('not a snapshot');
}

function isHeader(value: unknown): value is Header {
  if (!isRecord(value) || typeof value.build !== 'string' || !isId(value.size)) return false;
  const { size, runs } = value;
  return (
    Array.isArray(runs) &&
    runs.every((run) => isPair(run) && isId(run[0]) && isId(run[1]) && run[0] + run[1] <= size)
  );
}

function load(fd: number, begin: number, { runs }: Header, memory: Uint8Array): void {
  try {
    let position = begin;
    for (let i = 0; i < runs.length; i += PARTS) {
      const parts = runs.slice(i, i + PARTS).map(([at, length]) => memory.subarray(at, at + length));
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      if (readvSync(fd, parts, position) !== length) throw new Error('the snapshot was cut');
      position += length;
    }
  } finally {
    closeSync(fd);
  }
}
