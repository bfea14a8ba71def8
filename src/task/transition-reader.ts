import { RecordLister } from '../checkpoint/follow.js';
import type { Damage } from '../checkpoint/framing.js';
import { FollowedStream, type OpenStream, type StreamStat } from '../checkpoint/reader.js';
import { isTerminalProcessState, isTerminalTaskState, type ProcessState } from '../checkpoint/records.js';
import { type RecordedTransition, Replay } from '../checkpoint/replay.js';
import { errnoOf } from '../errors/errors.js';
import { SeenTransitions } from './seen-transitions.js';

/** The streams of a task, on this host or elsewhere. */
export interface TransitionStreams<Stat extends StreamStat = StreamStat> {
  readonly runner: OpenStream<Stat>;
  /** The stream of the coordinator of a process; undefined if there can be none. */
  coordinator(process: string): OpenStream<Stat> | undefined;
  /** False if the runner may be alive: what its coordinators record it will repeat in its own stream. */
  isWithoutRunner(stat: Stat, replay: Replay): boolean;
}

/** A transition with a time. */
export interface TimedTransition extends RecordedTransition {
  /** Whole milliseconds since the epoch. */
  time_ms: number;
}

export interface TransitionReading {
  /** In the order of the streams: those of one process, and those of the task, are in the order in which they were. */
  transitions: TimedTransition[];
  /** What could not be read; the stream of this process, or the runner's. */
  faults: { process?: string; damage?: Damage; error?: unknown }[];
  /** There is more to read. */
  more: boolean;
  /** The task is over: its state is terminal. */
  over: boolean;
}

/** A stream is read in pieces of about this size, so that a giant one does not fill the memory. */
const PIECE_BYTES = 256 * 1024;

/** How many streams of coordinators are read at once, and remembered. */
const MOST_AT_ONCE = 1000;

/** RFC 3339 has years of four digits. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Reads the transitions of a task from its streams, repeatedly: each is given once, although the runner repeats what
 * its coordinators have recorded, and a stream is read from its start again if it was replaced.
 */
export class TransitionReader<Stat extends StreamStat = StreamStat> {
  readonly #seen = new SeenTransitions();
  readonly #runner: FollowedStream<Replay, Stat>;
  readonly #coordinators = new Map<string, FollowedStream<RecordLister, Stat>>();
  /** The processes whose coordinators' streams are still to be read. */
  #left: string[] = [];
  #streams: TransitionStreams<Stat>;
  /** What the current read of a stream has met. */
  #met: RecordedTransition[] = [];
  #restarted = false;
  #launch: unknown;
  /** What the first read finds may be old, though a runner touches its stream every few seconds. */
  #isFirst = true;

  constructor(streams: TransitionStreams<Stat>) {
    this.#streams = streams;
    const onTransition = (transition: RecordedTransition) => void this.#met.push(transition);
    const open = () => this.#streams.runner();
    this.#runner = new FollowedStream(open, () => {
      this.#met = [];
      this.#restarted = true;
      return new Replay({ history: false, onTransition });
    });
  }

  /** Reads what was recorded since the last call. `streams`: how the task's streams are opened from now on. */
  read(streams: TransitionStreams<Stat> = this.#streams): TransitionReading {
    this.#streams = streams;
    const reading: TransitionReading = { transitions: [], faults: [], more: false, over: false };
    this.#met = [];
    try {
      const { stat, damage, more } = this.#runner.refresh(PIECE_BYTES);
      this.#take(reading, this.#isFirst || more ? undefined : stat.mtimeMs);
      reading.more = more;
      if (damage !== undefined) reading.faults.push({ damage });
      const replay = this.#runner.consumer;
      reading.over = isTerminalTaskState(replay.lastStatus?.state);
      this.#isFirst &&= more;
      if (more) return reading;
      if (!reading.over && this.#streams.isWithoutRunner(stat, replay)) this.#readCoordinators(reading);
      else this.#coordinators.clear();
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      if (errnoOf(error) !== 'ENOENT') reading.faults.push({ error });
    }
    return reading;
  }

  /**
   * Adds what was read from the runner's stream. `lastMs`: when all of it was written at the latest, if that is known.
   */
  #take({ transitions }: TransitionReading, lastMs: number | undefined): void {
    const launch = this.#runner.consumer.header?.launch_time_ms;
    if (this.#restarted) {
      this.#restarted = false;
      this.#seen.restart();
      if (launch !== this.#launch) this.#seen.forget();
    }
    this.#launch = launch;
    for (const each of timed(this.#met, lastMs)) if (this.#seen.isNew(each)) transitions.push(each);
  }

  /** Without a runner, the coordinators' streams may hold more than its own. */
  #readCoordinators(reading: TransitionReading): void {
    if (this.#left.length === 0) this.#left = [...this.#seen.processesIn(isLive)];
    for (const process of this.#left.splice(0, MOST_AT_ONCE)) {
      try {
        this.#readCoordinator(process, reading);
      } catch (error) {
        if (errnoOf(error) === undefined) throw error;
        if (errnoOf(error) !== 'ENOENT') reading.faults.push({ process, error });
      }
    }
    reading.more ||= this.#left.length > 0;
  }

  #readCoordinator(process: string, reading: TransitionReading): void {
    if (this.#streams.coordinator(process) === undefined) return;
    const stream = this.#coordinators.get(process) ?? this.#followCoordinator(process);
    this.#met = [];
    let mtimeMs: number | undefined;
    let more = false;
    try {
      const result = stream.refresh(PIECE_BYTES);
      ({ more } = result);
      ({ mtimeMs } = result.stat);
      reading.more ||= more;
      if (result.damage !== undefined) reading.faults.push({ process, damage: result.damage });
    } finally {
      // They are seen, also if the rest cannot be read.
      for (const each of timed(this.#met, mtimeMs)) reading.transitions.push(each);
    }
    if (more || this.#coordinators.size < MOST_AT_ONCE) this.#coordinators.set(process, stream);
  }

  #followCoordinator(process: string): FollowedStream<RecordLister, Stat> {
    const open = () => (this.#streams.coordinator(process) as OpenStream<Stat>)();
    const lister = () =>
      new RecordLister(({ type, value }) => {
        const next = type === 'process_status' ? this.#seen.next(process, value) : undefined;
        if (next !== undefined) this.#met.push(next);
      });
    return new FollowedStream(open, lister);
  }
}

function isLive(state: ProcessState): boolean {
  return !isTerminalProcessState(state);
}

/**
 * The transitions with times. One that has none of its own (WAITING, LOST) was recorded before the next one that has; if
 * that is not read yet, when the stream was last written (`lastMs`), or if that says nothing, when the one before was. A
 * time that RFC 3339 cannot represent is none. Pure.
 */
export function timed(
  transitions: readonly RecordedTransition[],
  lastMs: number | undefined,
): TimedTransition[] {
  const own = transitions.map(({ time_ms }) => wholeMs(time_ms));
  const next: (number | undefined)[] = [];
  for (let i = own.length - 1; i >= 0; i--) next[i] = own[i] ?? next[i + 1];
  const written = wholeMs(lastMs) ?? 0;
  let before = 0;
  return transitions.map((transition, i) => {
    // The clock of a file system is coarse, and late.
    before = next[i] ?? Math.max(before, written);
    return { ...transition, time_ms: before };
  });
}

function wholeMs(milliseconds: number | undefined): number | undefined {
  const whole = Math.round(milliseconds ?? Number.NaN);
  return whole >= 0 && whole <= LAST_MS ? whole : undefined;
}
