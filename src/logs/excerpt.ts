import type { Problem } from '../errors/problem.js';
import type { Stream } from '../layout/log-paths.js';
import type { LogFile } from './list-logs.js';
import type { LogHandle, LogTree } from './log-tree.js';

/** How much of a log is read: its first and last lines, and never more than `maxBytes`. */
export interface ExcerptLimits {
  readonly first: number;
  readonly last: number;
  readonly maxBytes: number;
  /** What is left out is read to count its lines, if it has no more bytes than this. */
  readonly countedBytes: number;
}

/** The beginning and the end of one log, over all its files. */
export interface Excerpt {
  process: string;
  run: number;
  stream: Stream;
  /** Of the newest file; older lines may be in its rotated backups. */
  path: string;
  /** The size of all files. */
  bytes: number;
  /** The lines before the gap; all lines if there is no gap. Without newlines; bytes that are not UTF-8 are U+FFFD. */
  first: readonly string[];
  /** What is between `first` and `last`; absent if nothing is. `lines` is absent if they were not counted. */
  left_out?: { bytes: number; lines?: number };
  last: readonly string[];
  /** Why it could not be read, or not in full. */
  problem?: string;
}

/** The files of one log, the newest first: a stream of a run with its rotated backups. */
export type LogChain = readonly [LogFile, ...LogFile[]];

/** The logs among files that are listed as `listLogs` does, each with its backups, in the same order. Pure. */
export function chainsOf(files: readonly LogFile[]): LogChain[] {
  const chains: [LogFile, ...LogFile[]][] = [];
  for (const file of files) {
    const chain = chains.at(-1);
    const [newest] = chain ?? [];
    const isBackup =
      newest !== undefined &&
      newest.process === file.process &&
      newest.run === file.run &&
      newest.stream === file.stream;
    if (isBackup) chain?.push(file);
    else chains.push([file]);
  }
  return chains;
}

const NEWLINE = 10;
/** A longer line is cut: nobody reads it, and it makes a page slow. */
const LONGEST_LINE = 8192;
const BLOCK = 64 * 1024;

/**
 * Reads the first and the last lines of a log, over its rotated backups, with bounded work however long it is. Follows
 * no link and never blocks (`LogTree`). Never throws: what can't be read is said.
 */
export async function excerptOf(chain: LogChain, tree: LogTree, limits: ExcerptLimits): Promise<Excerpt> {
  const [{ process, run, stream, path }] = chain;
  const files = new OpenChain(chain, tree);
  try {
    const bytes = chain.reduce((sum, file) => sum + file.bytes, 0);
    const excerpt: Excerpt = { process, run, stream, path, bytes, first: [], last: [] };
    if (bytes === 0) return excerpt;
    if (bytes <= limits.maxBytes) await readWhole(excerpt, files, limits);
    else await readEnds(excerpt, files, limits);
    if (files.problem !== undefined) excerpt.problem = files.problem.message;
    return excerpt;
  } finally {
    files.close();
  }
}

async function readWhole(excerpt: Excerpt, files: OpenChain, { first, last }: ExcerptLimits): Promise<void> {
  const bytes = await files.read(0, excerpt.bytes);
  const lines = linesOf(bytes);
  if (lines.length <= first + last) {
    show(excerpt, lines, []);
    return;
  }
  const rest = lines.length - last;
  show(excerpt, lines.slice(0, first), lines.slice(rest));
  const isUnended = rest === lines.length && bytes.at(-1) !== NEWLINE;
  excerpt.left_out = {
    bytes: sizeOf(lines.slice(first, rest)) - (isUnended ? 1 : 0),
    lines: rest - first,
  };
}

/** A quarter of the room is for the beginning, because the end says more. */
async function readEnds(excerpt: Excerpt, files: OpenChain, limits: ExcerptLimits): Promise<void> {
  const { maxBytes, countedBytes } = limits;
  const total = excerpt.bytes;
  const room = limits.first === 0 ? 0 : Math.floor(maxBytes / 4);
  const start = await files.read(0, room);
  // With the byte before it, it is known whether the end starts with a whole line.
  const from = total - (maxBytes - room);
  const end = await files.read(from - 1, total);
  const head = firstLines(start, limits.first);
  const tail = lastLines(end, limits.last);
  show(excerpt, head.lines, tail.lines, tail.cut);
  const gap = { from: head.bytes, to: total - tail.bytes };
  excerpt.left_out = { bytes: gap.to - gap.from };
  if (head.cut || tail.cut) excerpt.problem ??= 'a line beside what is left out is not shown in full';
  else if (gap.to - gap.from <= countedBytes) {
    const isUnended = gap.to === total && end.at(-1) !== NEWLINE;
    excerpt.left_out.lines = (await files.countNewlines(gap.from, gap.to)) + (isUnended ? 1 : 0);
  }
}

interface ExcerptEnds {
  lines: readonly Buffer[];
  /** How many bytes they are, with their newlines. */
  bytes: number;
  /** The line next to the gap is not whole. */
  cut: boolean;
}

/** The whole lines at the beginning; if there is none, what is there of the first one. */
function firstLines(bytes: Buffer, most: number): ExcerptEnds {
  const whole = bytes.lastIndexOf(NEWLINE) + 1;
  if (whole === 0) {
    if (bytes.length === 0 || most === 0) return { lines: [], bytes: 0, cut: false };
    return { lines: [bytes], bytes: bytes.length, cut: true };
  }
  const lines = linesOf(bytes.subarray(0, whole)).slice(0, most);
  return { lines, bytes: sizeOf(lines), cut: false };
}

/** The whole lines at the end; if there is none, what is there of the last one. The first byte precedes the end. */
function lastLines(bytes: Buffer, most: number): ExcerptEnds {
  if (most === 0 || bytes.length <= 1) return { lines: [], bytes: 0, cut: false };
  const start = bytes.indexOf(NEWLINE) + 1;
  const isCut = start === 0 || start === bytes.length;
  const lines = linesOf(bytes.subarray(isCut ? 1 : start)).slice(-most);
  const ended = bytes.at(-1) === NEWLINE;
  return { lines, bytes: sizeOf(lines) - (ended ? 0 : 1), cut: isCut };
}

/** The lines of bytes, without newlines; what follows the last newline is a line if it is not empty. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at);
    lines.push(bytes.subarray(at, end === -1 ? bytes.length : end));
    if (end === -1) break;
    at = end + 1;
  }
  return lines;
}

function sizeOf(lines: readonly Buffer[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0);
}

/** `resumes`: the beginning of the first of the last lines is left out. */
function show(
  excerpt: Excerpt,
  first: readonly Buffer[],
  last: readonly Buffer[],
  resumes: boolean = false,
): void {
  excerpt.first = first.map(textOf);
  excerpt.last = last.map((line, i) => (resumes && i === 0 ? endOf(line) : textOf(line)));
  const long = [...first, ...last].filter((line) => line.length > LONGEST_LINE).length;
  if (long === 0) return;
  const what = long === 1 ? 'a line has' : `${long} lines have`;
  excerpt.problem = `${what} more than ${LONGEST_LINE} bytes: the rest is not shown`;
}

function textOf(line: Buffer): string {
  if (line.length <= LONGEST_LINE) return line.toString('utf8');
  // The bytes of a character that is not whole are kept back.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return `${decoder.decode(line.subarray(0, LONGEST_LINE), { stream: true })}…`;
}

/** The end of a line, from its first whole character on. */
function endOf(line: Buffer): string {
  const end = line.subarray(-LONGEST_LINE);
  let start = 0;
  while (start < 3 && ((end[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return `…${end.toString('utf8', start)}`;
}

/** The files of a log as one stream of bytes, the oldest first; each is opened when it is read. */
class OpenChain {
  readonly #parts: { file: LogFile; start: number }[] = [];
  readonly #tree: LogTree;
  readonly #open = new Map<string, LogHandle | undefined>();
  readonly #ids = new Set<string>();
  /** The first that was met. */
  problem: Problem | undefined;

  constructor(chain: LogChain, tree: LogTree) {
    this.#tree = tree;
    let start = 0;
    for (const file of chain.toReversed()) {
      this.#parts.push({ file, start });
      start += file.bytes;
    }
  }

  /** The bytes from one offset to another; what can't be read is missing from them. */
  async read(from: number, to: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    await this.#each(from, to, (bytes) => pieces.push(Buffer.from(bytes)), Math.max(1, to - from));
    return Buffer.concat(pieces);
  }

  async countNewlines(from: number, to: number): Promise<number> {
    let count = 0;
    const add = (bytes: Buffer) => {
      for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
    };
    await this.#each(from, to, add, BLOCK);
    return count;
  }

  async #each(from: number, to: number, take: (bytes: Buffer) => void, block: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(block, Math.max(1, to - from)));
    for (const { file, start } of this.#parts) {
      const end = Math.min(to, start + file.bytes) - start;
      let at = Math.max(from, start) - start;
      if (at >= end) continue;
      const handle = await this.#handleOf(file);
      while (handle !== undefined && at < end) {
        const got = await handle.readAt(buffer, Math.min(buffer.length, end - at), at);
        if (got === 0) break;
        take(buffer.subarray(0, got));
        at += got;
      }
    }
  }

  /** Undefined if it can't be read, or is a file that a rotation has moved and that was read under another name. */
  async #handleOf({ path }: LogFile): Promise<LogHandle | undefined> {
    if (this.#open.has(path)) return this.#open.get(path);
    const opened = await this.#tree.open(path);
    let handle: LogHandle | undefined;
    if ('problem' in opened) this.problem ??= opened.problem;
    if ('file' in opened) {
      if (this.#ids.has(opened.file.id)) opened.file.close();
      else {
        handle = opened.file;
        this.#ids.add(handle.id);
      }
    }
    this.#open.set(path, handle);
    return handle;
  }

  close(): void {
    for (const handle of this.#open.values()) handle?.close();
  }
}
