import type { Problem } from '../errors/problem.js';
import { type LineChoice, LineFilter } from './line-filter.js';
import { type LineForm, type LineMode, LineOutput, type LineSource } from './line-output.js';
import type { Log } from './log.js';
import { type CursorNotice, LogCursor } from './log-cursor.js';
import type { TailEvent } from './tail-event.js';
import type { TaskLogs } from './task-logs.js';
import type { TimeWindow } from './time-window.js';

/** Where output, events and problems go. */
export interface LogShell {
  /** To stdout; the bytes are reused after it has returned. */
  write(bytes: Buffer | string): void;
  /** `ofSeveral`: the logs of several tasks are printed, or may be. */
  event(event: TailEvent, ofSeveral?: boolean): void;
  report(problem: Problem): void;
}

/** Which parts of a log's name distinguish the logs that are printed together. */
export interface Naming {
  /** The ids of tasks that are in several roots. */
  root: ReadonlySet<string>;
  task: boolean;
  stream: boolean;
}

/**
 * Gives the prefix of a log's lines, or a function that does, if it changes when more logs come; `colour` is the number
 * of the process.
 */
export type PrefixOf = (
  source: LineSource,
  naming: Naming,
  colour: number,
  task: Pick<TaskLogs, 'user' | 'name'>,
) => string | (() => string);

/** What is printed of lines beside their text. */
export interface LineStyle {
  /** Which lines are printed. */
  choice?: LineChoice;
  /** Leaves out files that were written before or after it. */
  window?: TimeWindow;
  /** The clock, in milliseconds since the epoch, and how it is shown before a line; undefined for an old line. */
  timestamps?: { now(): number; text(arrival: number | undefined): string };
  /** How a line is drawn on a terminal. */
  draw?: LineForm['draw'];
}

/** A log that is being printed. */
export interface OpenLog {
  readonly log: Log;
  /**
   * Prints its last lines (undefined: all) of those that are chosen, and closes it unless `follow` is true. `turn`: when it
   * may print; until then, few lines are kept, and many are not read.
   */
  start(lines: number | undefined, follow: boolean, turn?: Promise<void>): Promise<void>;
  /** Prints what is new, or a part of it; resolves to whether it was everything. */
  advance(): Promise<boolean>;
  /** Prints the rest and closes it. */
  finish(): Promise<void>;
  /** See `LogCursor.forgetDeleted`. */
  forgetDeleted(): Promise<void>;
  close(): void;
}

/** Of a log whose turn to print has not come. */
const MOST_KEPT_BYTES = 256 * 1024;

/** Starts logs in this order: where answers come late, several are read at once. */
export async function startInOrder(
  logs: readonly { open: OpenLog; follow: boolean }[],
  lines: number | undefined,
): Promise<void> {
  const begun: Promise<void>[] = [];
  for (const { open, follow } of logs) {
    const most = open.log.log_dir.tree.atOnce ?? 1;
    while (begun.length >= most) await begun.shift();
    const before = begun.at(-1);
    const start = open.start(lines, follow, before);
    // It is awaited later.
    start.catch(() => {});
    if (most === 1) await start;
    else begun.push(start);
  }
  for (const start of begun) await start;
}

/** Prints logs together. */
export class LogPrinter {
  /** Bytes of logs read so far, to print those lines that are chosen. */
  printed = 0;
  /** Bytes printed so far. */
  shown = 0;
  /** Logs that were there at the start. */
  found = 0;
  /** Bytes of the files that were searched for the last lines. */
  searched = 0;
  /** True as soon as lines are printed when they arrive. */
  arriving = false;
  #stopped = false;
  readonly #shell: LogShell;
  readonly #mode: LineMode;
  readonly #naming: Naming;
  readonly #prefixOf: PrefixOf;
  readonly #style: LineStyle;
  readonly #output: LineOutput;

  constructor(shell: LogShell, mode: LineMode, naming: Naming, prefixOf: PrefixOf, style: LineStyle = {}) {
    this.#shell = shell;
    this.#mode = mode;
    this.#naming = naming;
    this.#prefixOf = prefixOf;
    this.#style = style;
    this.#output = new LineOutput((bytes) => {
      this.shown += bytes.length;
      shell.write(bytes);
    });
  }

  /** Stops printing, even if logs are still being read. */
  stop(): void {
    this.#stopped = true;
  }

  open(log: Log): OpenLog {
    const source = this.#naming.root.size > 0 ? log.source : { ...log.source, root: undefined };
    const { choice, window, draw } = this.#style;
    const filter = choice === undefined ? undefined : new LineFilter(choice);
    const arrival = () => (this.arriving ? this.#style.timestamps?.now() : undefined);
    const channel = this.#output.channel(source, {
      mode: this.#mode,
      prefix: this.#prefix(log, source, arrival),
      filter,
      draw,
      arrival,
    });
    let isWaiting = false;
    const kept: (() => void)[] = [];
    const inTurn = (print: () => void) => {
      if (isWaiting) kept.push(print);
      else print();
    };
    const report = (notice: CursorNotice) => inTurn(() => this.#report(source, notice));
    const cursor = new LogCursor(log.path, log.log_dir.tree, report);
    const print = (bytes: Buffer) => {
      if (this.#stopped) return;
      this.printed += bytes.length;
      channel.push(bytes);
    };
    const sink = (bytes: Buffer) => {
      if (!isWaiting) return print(bytes);
      // The buffer is used again.
      const own = Buffer.from(bytes);
      kept.push(() => print(own));
    };
    const waitFor = async (turn: Promise<void>) => {
      await turn;
      isWaiting = false;
      for (const each of kept.splice(0)) each();
    };
    return {
      log,
      start: async (lines, follow, turn) => {
        isWaiting = turn !== undefined;
        const mayCopy = (bytes: number) =>
          turn === undefined || bytes <= MOST_KEPT_BYTES ? undefined : waitFor(turn);
        await cursor.start({ lines, filter, window, follow, mayCopy }, sink);
        if (turn !== undefined) await waitFor(turn);
        this.searched += cursor.bytes;
        if (cursor.found) this.found += 1;
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

  #prefix(log: Log, source: LineSource, arrival: () => number | undefined): () => string {
    if (this.#mode !== 'prefix') return () => '';
    const given = this.#prefixOf(source, this.#naming, log.colour, log.task);
    const name = typeof given === 'string' ? () => given : given;
    const { timestamps } = this.#style;
    return timestamps === undefined ? name : () => `${timestamps.text(arrival())} ${name()}`;
  }

  #report(source: LineSource, notice: CursorNotice): void {
    const { task_id, process } = source;
    if (notice.kind === 'problem') this.#shell.report({ ...notice.problem, task_id, process });
    else this.#shell.event({ kind: notice.kind, source });
  }
}
