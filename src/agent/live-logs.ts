import { createHash } from 'node:crypto';
import { backupOfName } from '../layout/backups.js';
import { STREAMS } from '../layout/log-paths.js';
import type { LogHandle, LogNames, LogStat, LogTree, OpenedLog } from '../logs/log-tree.js';
import { nameOf, parentOf } from '../store/paths.js';
import { PIECE_BYTES } from './agent-files.js';
import type { RemoteEntry } from './answers.js';
import type { AgentFailure } from './failure.js';
import type { AgentPort } from './gatherer.js';
import { LOGS_AT_ONCE, Sandbox, SandboxLogs } from './sandbox.js';

export interface LiveShell {
  /** Milliseconds from a fixed point. */
  now(): number;
  pause(ms: number): Promise<unknown>;
  /** Nobody wants the answer any more. */
  isClosed(): boolean;
  /** The agent does not answer, and is asked again until it does. */
  waiting(agent: string, failure: AgentFailure): void;
}

/** A listing that is this young shows the present: the two streams of a run, and their backups, share it. */
const FRESH_MS = 200;
/** Before an agent that did not answer is asked again. */
const AGAIN_MS = 2000;
/** Of the beginning and of the end of a backup, which tell it from others. */
const MARK_BYTES = 4096;

/**
 * The logs in a sandbox as they grow, for who follows them. An agent does not say which file a name leads to: a log is
 * known by its path, and what is written after a rotation looks as after a truncation; a backup, which does not change, is
 * known by its size, its time and some of its bytes, so that it stays the same when it is renamed. While the agent does
 * not answer, everything waits.
 */
export class LiveLogs implements LogTree {
  readonly atOnce = LOGS_AT_ONCE;
  readonly #port: AgentPort;
  readonly #directory: string;
  readonly #shell: LiveShell;
  #sandbox: Sandbox;
  #since: number;
  #isWaiting = false;
  /** The marks of backups, by their paths with size and time. */
  readonly #marks = new Map<string, string>();

  constructor(port: AgentPort, directory: string, shell: LiveShell) {
    this.#port = port;
    this.#directory = directory;
    this.#shell = shell;
    this.#sandbox = new Sandbox(port, directory, true);
    this.#since = shell.now();
  }

  async list(directory: string, most: number): Promise<LogNames> {
    return this.#answered((sandbox) => new SandboxLogs(sandbox).list(directory, most));
  }

  async stat(path: string): Promise<LogStat> {
    const stat = await this.#answered((sandbox) => new SandboxLogs(sandbox).stat(path));
    if (!('id' in stat) || stat.size === undefined || !isBackup(path)) return stat;
    const entry = await this.entry(path);
    return typeof entry === 'string' ? { absent: true } : { ...stat, id: await this.#markOf(path, entry) };
  }

  async open(path: string): Promise<OpenedLog> {
    const stat = await this.stat(path);
    if (!('id' in stat)) return stat;
    const { id, size } = stat;
    if (size === undefined) return this.#answered((sandbox) => new SandboxLogs(sandbox).open(path));
    return { file: new LiveLog(this, path, id, size, stat.modified_ms) };
  }

  denied(): undefined {
    return undefined;
  }

  refresh(path: string): void {
    this.#sandbox.forget(parentOf(path));
  }

  entry(path: string): Promise<RemoteEntry | 'absent' | 'refused'> {
    return this.#answered((sandbox) => sandbox.entry(path));
  }

  /** Empty at the end of the file, or if there is none. */
  async read(path: string, offset: number, length: number): Promise<Buffer> {
    const piece = await this.#answered((sandbox) => sandbox.read(path, offset, length));
    return piece ?? Buffer.alloc(0);
  }

  async #markOf(path: string, { size, mtimeMs }: RemoteEntry): Promise<string> {
    const key = `${path} ${size} ${mtimeMs}`;
    let mark = this.#marks.get(key);
    if (mark === undefined) {
      const hash = createHash('sha1');
      const length = Math.min(MARK_BYTES, size);
      hash.update(await this.read(path, 0, length));
      hash.update(await this.read(path, size - length, length));
      mark = `${size} ${mtimeMs} ${hash.digest('hex')}`;
      this.#marks.set(key, mark);
    }
    return mark;
  }

  /** What the agent answers, once it does. */
  async #answered<T>(ask: (sandbox: Sandbox) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#shell.now() - this.#since > FRESH_MS || this.#sandbox.failure !== undefined) {
        this.#sandbox = new Sandbox(this.#port, this.#directory, true);
        this.#since = this.#shell.now();
      }
      const sandbox = this.#sandbox;
      const answer = await ask(sandbox);
      const { failure } = sandbox;
      if (failure === undefined) {
        this.#isWaiting = false;
        return answer;
      }
      if (this.#shell.isClosed()) throw failure;
      if (!this.#isWaiting) this.#shell.waiting(this.#port.base, failure);
      this.#isWaiting = true;
      await this.#shell.pause(AGAIN_MS);
      // Only this begins again to ask an agent that could not be reached.
      await this.#port.state().catch(() => {});
    }
  }
}

/** By the name alone: the log itself has the name of its stream. */
function isBackup(path: string): boolean {
  return STREAMS.some((stream) => backupOfName(nameOf(path), stream) !== undefined);
}

class LiveLog implements LogHandle {
  readonly #logs: LiveLogs;
  readonly byContent: boolean;

  constructor(
    logs: LiveLogs,
    readonly path: string,
    readonly id: string,
    readonly size: number,
    readonly modified_ms: number | undefined,
  ) {
    this.#logs = logs;
    this.byContent = isBackup(path);
  }

  async readAt(buffer: Uint8Array, length: number, offset: number): Promise<number> {
    let count = 0;
    while (count < length) {
      const wanted = Math.min(length - count, PIECE_BYTES);
      const piece = await this.#logs.read(this.path, offset + count, wanted);
      buffer.set(piece, count);
      count += piece.length;
      if (piece.length < wanted) break;
    }
    return count;
  }

  async stat(): Promise<{ size: number; deleted: boolean }> {
    const stat = await this.#logs.stat(this.path);
    if (!('id' in stat) || stat.size === undefined) return { size: 0, deleted: true };
    return { size: stat.size, deleted: stat.id !== this.id };
  }

  close(): void {}
}
