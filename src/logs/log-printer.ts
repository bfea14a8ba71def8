import type { Problem } from '../errors/problem.js';
import { type LineMode, LineOutput, type LineSource } from './line-output.js';
import type { Log } from './log.js';
import { type CursorNotice, LogCursor } from './log-cursor.js';
import type { TailEvent } from './tail-event.js';

/** Where output, events and problems go. */
export interface LogShell {
  /** To stdout; the bytes are reused after it has returned. */
  write(bytes: Buffer | string): void;
  event(event: TailEvent): void;
  report(problem: Problem): void;
}

/** Which parts of a log's name distinguish the logs that are printed together. */
export interface Naming {
  root: boolean;
  task: boolean;
  stream: boolean;
}

/** Gives the prefix of a line; `colour` is the number of the process. */
export type PrefixOf = (source: LineSource, naming: Naming, colour: number) => string;

/** A log that is being printed. */
export interface OpenLog {
  readonly log: Log;
  /** Prints its last lines (undefined: all), and closes it unless `follow` is true. */
  start(lines: number | undefined, follow: boolean): Promise<void>;
  /** Prints what is new, or a part of it; resolves to whether it was everything. */
  advance(): Promise<boolean>;
  /** Prints the rest and closes it. */
  finish(): Promise<void>;
  /** See `LogCursor.forgetDeleted`. */
  forgetDeleted(): Promise<void>;
  close(): void;
}

/** Prints logs together. */
export class LogPrinter {
  /** Bytes of logs printed so far. */
  printed = 0;
  #stopped = false;
  readonly #shell: LogShell;
  readonly #mode: LineMode;
  readonly #naming: Naming;
  readonly #prefixOf: PrefixOf;
  readonly #output: LineOutput;

  constructor(shell: LogShell, mode: LineMode, naming: Naming, prefixOf: PrefixOf) {
    this.#shell = shell;
    this.#mode = mode;
    this.#naming = naming;
    this.#prefixOf = prefixOf;
    this.#output = new LineOutput((bytes) => shell.write(bytes));
  }

  /** Stops printing, even if logs are still being read. */
  stop(): void {
    this.#stopped = true;
  }

  open(log: Log): OpenLog {
    const source = this.#naming.root ? log.source : { ...log.source, root: undefined };
    const prefix = this.#mode === 'prefix' ? this.#prefixOf(source, this.#naming, log.colour) : '';
    const channel = this.#output.channel(source, this.#mode, prefix);
    const cursor = new LogCursor(log.path, log.log_dir.tree, (notice) => this.#report(source, notice));
    const sink = (bytes: Buffer) => {
      if (this.#stopped) return;
      this.printed += bytes.length;
      channel.push(bytes);
    };
    return {
      log,
      start: async (lines, follow) => {
        await cursor.start(lines, follow, sink);
        if (!follow) channel.end();
      },
      advance: () => cursor.advance(sink),
      finish: async () => {
        await cursor.finish(sink);
        channel.end();
        cursor.close();
      },
      forgetDeleted: () => cursor.forgetDeleted(),
      close: () => cursor.close(),
    };
  }

  #report(source: LineSource, notice: CursorNotice): void {
    const { task_id, process } = source;
    if (notice.kind === 'problem') this.#shell.report({ ...notice.problem, task_id, process });
    else this.#shell.event({ kind: notice.kind, source });
  }
}
