import { errnoOf } from '../errors/errors.js';
import { Host } from '../host/host.js';
import { type ProcessRow, processRow } from '../host/process-table.js';
import {
  type ExactStart,
  ExactStarts,
  encodeBoot,
  encodeStart,
  MOST_STARTS_BYTES,
} from '../layout/starts.js';
import { writeWhole } from '../store/append-line.js';
import type { OpenFile } from '../store/open-file.js';
import { RefusedError } from '../store/refused.js';
import type { LiveRun, Run } from './progress.js';
import type { RunnerRoot } from './runner-root.js';

/** Starts of processes that are gone are removed when the file has become longer than this, or twice what it was then. */
const LONG_BYTES = 256 * 1024;

/**
 * Keeps the exact starts of the processes of a task beside its stream. What cannot be kept (the disk is full) is not: then
 * others know the process by the recorded time only, and we still know it exactly.
 */
export class StartKeeper {
  readonly #root: RunnerRoot;
  readonly #row: (pid: number) => ProcessRow | undefined;
  /** What this runner and those before it know. */
  readonly starts: ExactStarts;
  #file: OpenFile | undefined;
  #isBegun = false;
  #bytes = 0;
  #mostBytes = LONG_BYTES;

  /** `uid`: the task's user. */
  constructor(root: RunnerRoot, uid: number | undefined, row = processRow) {
    this.#root = root;
    this.#row = row;
    const before = root.readStarts(uid);
    this.starts = before.isOfThisBoot ? before : new ExactStarts();
  }

  /** The exact start of the process that is recorded with this pid and time. */
  of(pid: number | undefined, time: number | undefined): number | undefined {
    const start = this.starts.of(pid, time);
    return typeof start === 'number' ? start : undefined;
  }

  /** To be called once the task is on disk. */
  begin(): void {
    this.#isBegun = true;
    this.#add({ pid: process.pid, ticks: this.#row(process.pid)?.startTimeTicks });
    this.#rewrite();
  }

  /** Our child has just been started as the coordinator of a run. */
  forked(pid: number, forkTime: number): void {
    this.#keep({ pid, time: forkTime, ticks: this.#row(pid)?.startTimeTicks });
  }

  /** The process certainly is the coordinator of a run that an earlier runner started. */
  adopted({ coordinator_pid, fork_time }: LiveRun, { startTimeTicks }: ProcessRow): void {
    this.#keep({ pid: coordinator_pid, time: fork_time, ticks: startTimeTicks });
  }

  /**
   * Of a run whose command was alive when it was last looked at: it still is if it is the child of its coordinator, because
   * a coordinator that has reaped it would have recorded that.
   */
  running({ state, pid, start_time, coordinator_pid, fork_time }: Run): void {
    if (state !== 'RUNNING' || pid === undefined || this.of(pid, start_time) !== undefined) return;
    const command = this.#row(pid);
    const coordinator = coordinator_pid === undefined ? undefined : this.#row(coordinator_pid);
    if (command === undefined || command.parent !== coordinator?.pid) return;
    if (coordinator.startTimeTicks !== this.of(coordinator_pid, fork_time)) return;
    this.#keep({ pid, time: start_time, ticks: command.startTimeTicks });
  }

  /** Nothing is kept any more. */
  close(): void {
    this.#isBegun = false;
    this.#closeFile();
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #add({
    ticks,
    ...rest
  }: Omit<ExactStart, 'ticks'> & { ticks: number | undefined }): ExactStart | undefined {
    if (ticks === undefined) return undefined;
    const start = { ...rest, ticks };
    this.starts.add(start);
    return start;
  }

  #keep(found: Omit<ExactStart, 'ticks'> & { ticks: number | undefined }): void {
    const start = this.#add(found);
    if (start === undefined || !this.#isBegun) return;
    const line = encodeStart(start);
    this.#bytes += line.length;
    const { fd } = this.#file ?? {};
    if (fd === undefined || this.#bytes > this.#mostBytes) this.#rewrite();
    else this.#try(() => writeWhole(fd, line));
  }

  /** With what is alive. */
  #rewrite(): void {
    this.starts.retain(({ pid, ticks }) => this.#row(pid)?.startTimeTicks === ticks);
    const bootId = Host.local().bootId();
    if (bootId === undefined) return;
    const text = [encodeBoot(bootId), ...this.starts.all().map(encodeStart)].join('');
    this.#bytes = text.length;
    this.#mostBytes = Math.max(LONG_BYTES, 2 * text.length);
    this.#closeFile();
    if (text.length > MOST_STARTS_BYTES) return;
    this.#try(() => {
      this.#file = this.#root.replaceStarts(text);
    });
  }

  /** After an error the file is replaced before more is kept: a line that is not whole would spoil the next one. */
  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (errnoOf(error) === undefined && !(error instanceof RefusedError)) throw error;
      this.#closeFile();
    }
  }
}
