import type { Problem } from '../errors/problem.js';
import type { LogHandle, LogNames, LogStat, LogTree, OpenedLog } from '../logs/log-tree.js';
import { isWithin, nameOf, parentOf } from '../store/paths.js';
import { type AgentFiles, PIECE_BYTES, type RemoteListing } from './agent-files.js';
import type { RemoteEntry } from './answers.js';
import { type AgentFailure, failureIn } from './failure.js';

const OF_A_PATH: ReadonlySet<AgentFailure['kind']> = new Set(['absent', 'forbidden']);

/** `absent`: it is certainly not there. `refused`: the agent does not answer for it. */
export type Listed = RemoteListing | 'absent' | 'refused';

/** What a listing shows, as text: it differs if a file appeared, vanished or changed. */
export function looksOf(listed: Listed): string {
  if (typeof listed === 'string') return listed;
  return listed.entries.map(({ name, size, mtimeMs }) => `${name} ${size} ${mtimeMs}`).join('\n');
}

/**
 * The files of one sandbox at one point in time, as its agent gives them: each directory is asked for once. Nothing
 * outside the sandbox is asked for. Never rejects.
 */
export class Sandbox {
  readonly #files: AgentFiles;
  readonly #urgent: boolean;
  #listed: Map<string, Promise<Listed>> | undefined;
  /** Why the agent as a whole gave something no more; undefined while it answers, and for a client that does not know. */
  failure: AgentFailure | undefined;

  constructor(
    files: AgentFiles,
    readonly directory: string,
    urgent = false,
  ) {
    this.#files = files;
    this.#urgent = urgent;
  }

  /** `known`: of an earlier point in time; it comes again if nothing has changed. */
  list(path: string, known?: Listed): Promise<Listed> {
    let listed = this.#listed?.get(path);
    if (listed === undefined) {
      listed = this.#list(path, typeof known === 'string' ? undefined : known);
      this.#remember(path, listed);
    }
    return listed;
  }

  /** What was listed at this point in time, after all was forgotten. */
  recall(path: string, listed: Listed): void {
    if (!this.#listed?.has(path)) this.#remember(path, Promise.resolve(listed));
  }

  #remember(path: string, listed: Promise<Listed>): void {
    this.#listed ??= new Map();
    this.#listed.set(path, listed);
  }

  /** The directory is asked for again when it is needed. */
  forget(path: string): void {
    this.#listed?.delete(path);
  }

  /** From now on it is another point in time. */
  forgetAll(): void {
    this.#listed = undefined;
  }

  /** What a browser is told of a refusal is nothing: the directory above says whether there is anything to refuse. */
  async #list(path: string, known?: RemoteListing): Promise<Listed> {
    if (!this.#holds(path)) return 'refused';
    try {
      return await this.#files.list(path, this.#urgent, known);
    } catch (error) {
      const kind = this.#failed(error);
      if (kind === 'absent') return 'absent';
      if (kind !== undefined || path === this.directory) return 'refused';
      const above = await this.list(parentOf(path));
      if (typeof above === 'string') return above;
      const entry = above.entries.find(({ name }) => name === nameOf(path));
      return above.complete && entry?.kind !== 'directory' ? 'absent' : 'refused';
    }
  }

  /** The entry of a path in the directory that holds it. */
  async entry(path: string): Promise<RemoteEntry | 'absent' | 'refused'> {
    const above = await this.list(parentOf(path));
    if (typeof above === 'string') return above;
    return above.entries.find(({ name }) => name === nameOf(path)) ?? (above.complete ? 'absent' : 'refused');
  }

  /** Bytes of a file from an offset on, at most `length`; undefined if the agent gives none. */
  async read(path: string, offset: number, length: number): Promise<Buffer | undefined> {
    if (!this.#holds(path)) return undefined;
    try {
      return await this.#files.read(path, offset, length, this.#urgent);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** The first `size` bytes of a file that is as long as that in its listing; undefined if the agent gives none. */
  async readListed(path: string, size: number): Promise<Buffer | undefined> {
    if (size > PIECE_BYTES || size === 0 || this.#files.whole === undefined) return this.readAll(path, size);
    if (!this.#holds(path)) return undefined;
    try {
      const whole = await this.#files.whole(path, this.#urgent);
      return whole === undefined ? await this.readAll(path, size) : whole.subarray(0, size);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #failed(error: unknown): AgentFailure['kind'] | undefined {
    const failure = failureIn(error);
    if (failure !== undefined && !OF_A_PATH.has(failure.kind)) this.failure ??= failure;
    return failure?.kind;
  }

  /** The bytes of a file, at most the first `most` of them; undefined if it can't be read. */
  async readAll(path: string, most: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    let at = 0;
    while (at < most) {
      const piece = await this.read(path, at, most - at);
      if (piece === undefined) return undefined;
      pieces.push(piece);
      at += piece.length;
      if (piece.length < PIECE_BYTES) return Buffer.concat(pieces);
    }
    return Buffer.concat(pieces);
  }

  #holds(path: string): boolean {
    if (path.includes('\0') || (path.includes('..') && path.split('/').includes('..'))) return false;
    return isWithin(path, this.directory);
  }
}

/** Of several agents, of which each has a few connections. */
export const LOGS_AT_ONCE = 32;

/** The logs in a sandbox. */
export class SandboxLogs implements LogTree {
  readonly atOnce = LOGS_AT_ONCE;
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  async list(directory: string, most: number): Promise<LogNames> {
    const listed = await this.#sandbox.list(directory);
    if (listed === 'absent') return { absent: true };
    if (listed === 'refused') return { problem: notGiven(directory) };
    const names = listed.entries.map(({ name }) => name);
    return { names: names.slice(0, most), complete: listed.complete && names.length <= most };
  }

  async stat(path: string): Promise<LogStat> {
    const entry = await this.#sandbox.entry(path);
    if (entry === 'absent') return { absent: true };
    if (entry === 'refused') return { problem: notGiven(path) };
    const { kind, size, mtimeMs } = entry;
    return kind === 'file' ? { id: path, size, modified_ms: mtimeMs } : { id: path };
  }

  async open(path: string): Promise<OpenedLog> {
    const stat = await this.stat(path);
    if (!('id' in stat)) return stat;
    if (stat.size === undefined) return { problem: notGiven(path) };
    return { file: new SandboxLog(this.#sandbox, path, stat.size, stat.modified_ms) };
  }

  denied(): undefined {
    return undefined;
  }
}

class SandboxLog implements LogHandle {
  readonly #sandbox: Sandbox;

  constructor(
    sandbox: Sandbox,
    readonly path: string,
    readonly size: number,
    readonly modified_ms: number | undefined,
  ) {
    this.#sandbox = sandbox;
  }

  get id(): string {
    return this.path;
  }

  async readAt(buffer: Uint8Array, length: number, offset: number): Promise<number> {
    let count = 0;
    while (count < length) {
      const wanted = Math.min(length - count, PIECE_BYTES);
      const piece = await this.#sandbox.read(this.path, offset + count, wanted);
      if (piece === undefined || piece.length === 0) break;
      buffer.set(piece, count);
      count += piece.length;
    }
    return count;
  }

  stat(): { size: number; deleted: boolean } {
    return { size: this.size, deleted: false };
  }

  close(): void {}
}

function notGiven(path: string): Problem {
  return {
    code: 'log-unreadable',
    severity: 'error',
    message: `cannot read ${path}: the agent does not let you read it`,
    path,
  };
}
