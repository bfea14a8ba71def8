import { MEMBER, PROCESS_FIELD, type RecordDecoder } from './codec.js';
import { Ends, type Gap } from './ends.js';
import { type Damage, RecordScanner, type StreamConsumer } from './framing.js';
import { nameHash } from './name-hash.js';
import { NameMap } from './name-map.js';
import {
  type Int64,
  PROCESS_STATES,
  type ProcessState,
  type ProcessStatus,
  type RunnerHeader,
  type TaskState,
  type TaskStatus,
} from './records.js';
import { bits, followingSeq, missingField, TRANSITIONS, type Transition } from './transitions.js';

/** What a stream says about one process. */
export interface ProcessHistory {
  process: string;
  /** The runs in order; only the last one unless the full history was requested. */
  runs: ProcessStatus[];
  /** Set if the history was requested and there are too many runs to keep: those in the middle are left out. */
  left_out?: Gap;
  run_count: number;
  /** How many of the runs are FAILED. */
  failures: number;
}

/** Each run of a history with its number, which is also the name of its log directory. */
export function numberedRuns({
  runs,
  left_out,
  run_count,
}: ProcessHistory): { run: ProcessStatus; n: number }[] {
  const missing = Math.max(0, run_count - runs.length);
  const at = left_out?.at ?? 0;
  return runs.map((run, i) => ({ run, n: i < at ? i : i + missing }));
}

/** The state that a stream describes. */
export interface CheckpointState {
  header: RunnerHeader | null;
  /** In order; only the last one unless the full history was requested. */
  statuses: TaskStatus[];
  /** As `left_out` of a process. */
  statuses_left_out?: Gap;
  /** By name, in the order of their first record. */
  processes: ReadonlyMap<string, ProcessHistory>;
  /** How many records were skipped because they are about more processes than are kept. Absent if none. */
  records_left_out?: number;
}

/** The change of state that one record holds: of a run of a process, or without `process`, of the task. */
export interface RecordedTransition {
  process?: string;
  /** Of the record. Each record of a process has the number after that of the one before. */
  seq?: Int64;
  /** The number of the run, from 0. */
  run?: number;
  /** Absent for what had no state before. */
  was?: ProcessState | TaskState | number;
  state: ProcessState | TaskState | number;
  /** When it was so, milliseconds since the epoch, as recorded: any number. Absent for WAITING and LOST. */
  time_ms?: number;
  /** Of the command, once it is recorded. */
  pid?: number;
  return_code?: number;
}

/** How much of a stream is kept: more than any real task has, and less than would fill the memory. */
export interface ReplayLimits {
  /** Further processes are skipped. */
  processes: number;
  /** Further processes are also skipped once the names have this total length. */
  nameBytes: number;
  /**
   * If all processes together have more earlier runs, the first and last ones of each process are kept. A run counts
   * once more for each 256 bytes of its process's name, which is printed with it.
   */
  runs: number;
  /** If there are more task statuses, the first and last ones are kept. */
  statuses: number;
}

export const REPLAY_LIMITS: ReplayLimits = {
  processes: 65_536,
  nameBytes: 4 * 1024 * 1024,
  runs: 10_000,
  statuses: 100_000,
};

const WAITING = 0;
const FORKED = 1;
const FAILED = 5;

const F = PROCESS_FIELD;
const TERMINAL = (TRANSITIONS[WAITING] as Transition).from;

/** A process during the replay. Its current run is in plain fields, so that nothing is allocated per record. */
class Track {
  earlier: Ends<ProcessStatus> | undefined;
  runs = 0;
  failures = 0;
  seq: Int64 = -1;
  state = -1;
  has = 0;
  startTime = Number.NaN;
  pid = 0;
  stopTime = Number.NaN;
  returnCode = 0;
  coordinatorPid = 0;
  forkTime = Number.NaN;
  /** Another process whose name has the same hash. */
  next: Track | undefined;

  constructor(
    readonly name: string,
    readonly nameBytes: Uint8Array,
  ) {}

  /** How much each of its runs counts; see ReplayLimits. */
  get weight(): number {
    return 1 + (this.nameBytes.length >> 8);
  }

  /** The current run. If it never began because its record was refused, it has only a `seq`. */
  run(): ProcessStatus {
    const { has } = this;
    if (this.state === -1) return { seq: this.seq };
    const run: ProcessStatus = { seq: this.seq, process: this.name, state: PROCESS_STATES[this.state] };
    if (has & bits(F.START_TIME)) run.start_time = this.startTime;
    if (has & bits(F.PID)) run.pid = this.pid;
    if (has & bits(F.STOP_TIME)) run.stop_time = this.stopTime;
    if (has & bits(F.RETURN_CODE)) run.return_code = this.returnCode;
    if (has & bits(F.COORDINATOR_PID)) run.coordinator_pid = this.coordinatorPid;
    if (has & bits(F.FORK_TIME)) run.fork_time = this.forkTime;
    return run;
  }
}

/** From this many processes on, they are found by a hash of their names. */
const HASHED_FROM = 16;

export interface ReplayOptions {
  /** Keep all statuses and runs (see ReplayLimits), not only the last ones. */
  history: boolean;
  /**
   * The stream is a `coordinator.PROCESS`. Nobody writes WAITING or LOST there: a run begins with FORKED, in whatever
   * state the previous run is, and the sequence numbers of the runner's records are missing.
   */
  coordinator?: boolean;
  limits?: ReplayLimits;
  /** Gets each transition when its record is applied. A task status that repeats the state before is none. */
  onTransition?: (transition: RecordedTransition) => void;
}

/**
 * Rebuilds a task's state from its checkpoint stream, which is fed in pieces of any size. Pure: its state depends only
 * on the bytes. It stops for good at the first record that the original would reject; the state is then that of the
 * records before. The time is linear in the records, whatever they contain; the memory is bounded by the limits.
 */
export class Replay implements StreamConsumer {
  readonly #history: boolean;
  readonly #coordinator: boolean;
  readonly #scanner: RecordScanner;
  readonly #limits: ReplayLimits;
  readonly #onTransition: ReplayOptions['onTransition'];
  #header: RunnerHeader | null = null;
  /** With the full history. */
  readonly #statuses = new Ends<TaskStatus>();
  #lastStatus: TaskStatus | undefined;
  /** With `onTransition`: the last one that a status had. */
  #taskState: TaskStatus['state'];
  readonly #tracks: Track[] = [];
  #nameBytes = 0;
  #recordsLeftOut = 0;
  /** How many earlier runs of each process are kept: half of them are the first, half the last. */
  #runLimit: number;
  #runsHeld = 0;
  /** Made when there are many processes; a few are faster to compare one by one. */
  #byHash: Map<number, Track> | undefined;
  /** The tracks with a name that is not ASCII, by the decoded name. */
  readonly #byDecodedName = new Map<string, Track>();
  #attached: Buffer = Buffer.alloc(0);
  #last: Track | undefined;

  constructor(options: ReplayOptions) {
    this.#history = options.history;
    this.#coordinator = options.coordinator === true;
    this.#limits = options.limits ?? REPLAY_LIMITS;
    this.#onTransition = options.onTransition;
    this.#runLimit = this.#limits.runs;
    this.#scanner = new RecordScanner((decoder) => this.#apply(decoder));
  }

  /** The number of applied records. */
  get records(): number {
    return this.#scanner.records;
  }

  /** The bytes of the applied records: the offset of the next one. */
  get bytes(): number {
    return this.#scanner.bytes;
  }

  get damage(): Damage | undefined {
    return this.#scanner.damage;
  }

  get header(): RunnerHeader | null {
    return this.#header;
  }

  get lastStatus(): TaskStatus | undefined {
    return this.#lastStatus;
  }

  /** See RecordScanner.feed. */
  feed(bytes: Buffer, start: number, end: number): number {
    this.#attached = bytes;
    return this.#scanner.feed(bytes, start, end);
  }

  /** See RecordScanner.atEnd. */
  atEnd(bytes: Buffer, start: number, end: number): Damage | undefined {
    return this.#scanner.atEnd(bytes, start, end);
  }

  /** The state so far: a copy that later records do not change, except for the objects in it. */
  state(): CheckpointState {
    const processes = new NameMap<ProcessHistory>();
    for (const track of this.#tracks) processes.set(track.name, this.#historyOf(track));
    const { kept, gap } = this.#statuses.list(this.#limits.statuses);
    const statuses = this.#history || this.#lastStatus === undefined ? kept : [this.#lastStatus];
    const state: CheckpointState = { header: this.#header, statuses, processes };
    if (gap !== undefined) state.statuses_left_out = gap;
    if (this.#recordsLeftOut > 0) state.records_left_out = this.#recordsLeftOut;
    return state;
  }

  #historyOf(track: Track): ProcessHistory {
    const { kept = [], gap } = track.earlier?.list(this.#runLimit) ?? {};
    kept.push(track.run());
    const history: ProcessHistory = {
      process: track.name,
      runs: kept,
      run_count: track.runs,
      failures: track.failures,
    };
    if (gap !== undefined) history.left_out = gap;
    return history;
  }

  /**
   * A consumer for the stream `coordinator.PROCESS`, which adds what the runner's own stream does not have yet, as
   * a new runner does. Updates of `process` that continue its sequence are applied. All others are skipped, also
   * those that may not follow the state in the runner's stream (the runner gave up a process as LOST, but its
   * coordinator continued). Its damage is that of the coordinator's stream.
   */
  coordinator(process: string): StreamConsumer {
    const scanner = new RecordScanner((decoder) => this.#merge(decoder, process));
    return {
      get bytes() {
        return scanner.bytes;
      },
      get damage() {
        return scanner.damage;
      },
      feed: (bytes, start, end) => {
        this.#attached = bytes;
        return scanner.feed(bytes, start, end);
      },
      atEnd: (bytes, start, end) => scanner.atEnd(bytes, start, end),
    };
  }

  #merge(decoder: RecordDecoder, process: string): string | undefined {
    if (decoder.member !== MEMBER.PROCESS) return undefined;
    const track = this.#find(decoder);
    if (track?.name !== process || decoder.seq !== followingSeq(track.seq)) return undefined;
    return fits(decoder, track) ? this.#update(decoder, track) : undefined;
  }

  #apply(decoder: RecordDecoder): string | undefined {
    switch (decoder.member) {
      case MEMBER.PROCESS:
        return this.#applyProcess(decoder);
      case MEMBER.TASK:
        if (this.#onTransition !== undefined) this.#emitTask(decoder.task as TaskStatus);
        if (this.#history) this.#statuses.push(decoder.task as TaskStatus, this.#limits.statuses);
        this.#lastStatus = decoder.task;
        return undefined;
      case MEMBER.HEADER:
        if (this.#header !== null) return 'this is a second header';
        this.#header = decoder.header as RunnerHeader;
        return undefined;
      default:
        return 'the record is none of header, process status and task status';
    }
  }

  #applyProcess(decoder: RecordDecoder): string | undefined {
    const has = decoder.processFields;
    let track = this.#find(decoder);
    if (track === undefined && this.#isFull) {
      this.#recordsLeftOut += 1;
      return undefined;
    }
    if (this.#coordinator) track = this.#begun(decoder, track);
    if (track === undefined) {
      if ((has & bits(F.STATE)) === 0 || decoder.processState !== WAITING) {
        return `process ${quote(decoder)} was expected to start with WAITING, not ${stateIn(decoder)}`;
      }
      return this.#update(decoder, this.#add(decoder));
    }
    const expected = followingSeq(track.seq);
    if (decoder.seq !== expected || (has & bits(F.SEQ)) === 0) {
      const found = (has & bits(F.SEQ)) === 0 ? 'none' : decoder.seq;
      return `sequence number ${expected} of process ${quote(decoder)} was expected, found ${found}`;
    }
    return this.#update(decoder, track);
  }

  /** Prepares the track for a FORKED that begins a run in a coordinator's stream, as if WAITING came before it. */
  #begun(decoder: RecordDecoder, track: Track | undefined): Track | undefined {
    const needs = bits(F.PROCESS, F.STATE, F.SEQ, F.FORK_TIME, F.COORDINATOR_PID);
    if (decoder.processState !== FORKED || (decoder.processFields & needs) !== needs) return track;
    if (track !== undefined) {
      if (decoder.seq <= followingSeq(track.seq)) return track;
      if (this.#history) this.#keepRun(track);
    }
    const begun = track ?? this.#add(decoder);
    begun.seq = followingSeq(decoder.seq, -1);
    begun.state = WAITING;
    begun.has = 0;
    begun.runs += 1;
    return begun;
  }

  /**
   * Applies an update whose sequence number is right to the track. If the update is refused for another reason, its
   * sequence number is kept, as in the original, whose results for damaged streams show it.
   */
  #update(decoder: RecordDecoder, track: Track): string | undefined {
    const has = decoder.processFields;
    const state = (has & bits(F.STATE)) === 0 ? -1 : decoder.processState;
    if (state === WAITING && track.state !== -1) {
      if ((TERMINAL & (1 << track.state)) === 0) return refused(decoder, track.state, state);
      if (this.#history) this.#keepRun(track);
    }
    if (has & bits(F.SEQ)) track.seq = decoder.seq;
    const was = track.state;
    const transition = TRANSITIONS[state];
    if (transition === undefined) return `${stateIn(decoder)} is not a state of a process`;
    if (track.state !== -1 && (transition.from & (1 << track.state)) === 0) {
      return refused(decoder, track.state, state);
    }
    if ((has & transition.needs) !== transition.needs) {
      return `a process status that is ${nameOf(state)} has no ${missingField(has, transition.needs)}`;
    }
    if (state === WAITING) {
      track.runs += 1;
      track.has = 0;
    }
    track.state = state;
    const takes = transition.takes & has;
    track.has |= takes;
    if (takes & bits(F.START_TIME)) track.startTime = decoder.startTime;
    if (takes & bits(F.PID)) track.pid = decoder.pid;
    if (takes & bits(F.STOP_TIME)) track.stopTime = decoder.stopTime;
    if (takes & bits(F.RETURN_CODE)) track.returnCode = decoder.returnCode;
    if (takes & bits(F.COORDINATOR_PID)) track.coordinatorPid = decoder.coordinatorPid;
    if (takes & bits(F.FORK_TIME)) track.forkTime = decoder.forkTime;
    if (state === FAILED) track.failures += 1;
    this.#onTransition?.(transitionOf(track, was, decoder, takes));
    return undefined;
  }

  #emitTask({ state, timestamp_ms }: TaskStatus): void {
    const was = this.#taskState;
    if (state === undefined || state === was) return;
    this.#taskState = state;
    this.#onTransition?.({
      was,
      state,
      time_ms: timestamp_ms === undefined ? undefined : Number(timestamp_ms),
    });
  }

  /**
   * The process that a record names, found without making a string of the name: the last one, or by a hash of the
   * bytes. Names that are not UTF-8 are equal if they are equal after decoding, as in the original.
   */
  #find(decoder: RecordDecoder): Track | undefined {
    if ((decoder.processFields & bits(F.PROCESS)) === 0) return undefined;
    const { nameStart, nameEnd } = decoder;
    if (this.#last !== undefined && this.#isNamed(this.#last, nameStart, nameEnd)) return this.#last;
    let track = this.#candidate(nameStart, nameEnd);
    while (track !== undefined && !this.#isNamed(track, nameStart, nameEnd)) track = track.next;
    // If two names become equal by decoding, one is not UTF-8, and neither is ASCII after decoding.
    if (track === undefined && this.#byDecodedName.size > 0) {
      track = this.#byDecodedName.get(decoder.processName());
    }
    if (track !== undefined) this.#last = track;
    return track;
  }

  /** The head of the chain of tracks (by `next`) that may have the name. */
  #candidate(start: number, end: number): Track | undefined {
    if (this.#tracks.length < HASHED_FROM) return this.#tracks[0];
    if (this.#byHash === undefined) {
      this.#byHash = new Map();
      for (const track of this.#tracks) this.#chain(track, this.#byHash);
    }
    return this.#byHash.get(nameHash().of(this.#attached, start, end));
  }

  #chain(track: Track, byHash: Map<number, Track>): void {
    const key = nameHash().of(track.nameBytes, 0, track.nameBytes.length);
    track.next = byHash.get(key);
    byHash.set(key, track);
  }

  #isNamed(track: Track, start: number, end: number): boolean {
    const { nameBytes } = track;
    if (nameBytes.length !== end - start) return false;
    for (let i = 0; i < nameBytes.length; i++) {
      if (nameBytes[i] !== this.#attached[start + i]) return false;
    }
    return true;
  }

  #add(decoder: RecordDecoder): Track {
    const { nameStart, nameEnd } = decoder;
    const track = new Track(nameIn(decoder), Uint8Array.from(this.#attached.subarray(nameStart, nameEnd)));
    if (this.#byHash !== undefined) this.#chain(track, this.#byHash);
    else if (this.#tracks.length > 0) (this.#tracks.at(-1) as Track).next = track;
    if (isNotAscii(track.name)) this.#byDecodedName.set(track.name, track);
    this.#tracks.push(track);
    this.#nameBytes += nameEnd - nameStart;
    this.#last = track;
    return track;
  }

  get #isFull(): boolean {
    return this.#tracks.length >= this.#limits.processes || this.#nameBytes >= this.#limits.nameBytes;
  }

  /** Moves the current run of the track, which is over, to the earlier ones. */
  #keepRun(track: Track): void {
    track.earlier ??= new Ends();
    const before = track.earlier.held;
    track.earlier.push(track.run(), this.#runLimit);
    this.#runsHeld += (track.earlier.held - before) * track.weight;
    while (this.#runsHeld > 2 * this.#limits.runs) {
      this.#runLimit >>= 1;
      this.#runsHeld = 0;
      for (const { earlier, weight } of this.#tracks) {
        earlier?.trim(this.#runLimit);
        this.#runsHeld += (earlier?.held ?? 0) * weight;
      }
    }
  }
}

/** What the update that was just applied has changed. `was`: the number of the state before. */
function transitionOf(track: Track, was: number, decoder: RecordDecoder, takes: number): RecordedTransition {
  const { name, seq, runs, state, has } = track;
  const transition: RecordedTransition = {
    process: name,
    seq,
    run: Math.max(0, runs - 1),
    was: PROCESS_STATES[was],
    state: PROCESS_STATES[state] as ProcessState,
    time_ms: timeIn(decoder, takes),
  };
  if (has & bits(F.PID)) transition.pid = track.pid;
  if (has & bits(F.RETURN_CODE)) transition.return_code = track.returnCode;
  return transition;
}

function timeIn({ forkTime, startTime, stopTime }: RecordDecoder, takes: number): number | undefined {
  if (takes & bits(F.FORK_TIME)) return forkTime * 1000;
  if (takes & bits(F.START_TIME)) return startTime * 1000;
  return takes & bits(F.STOP_TIME) ? stopTime * 1000 : undefined;
}

/** True if the update may be applied to the track in its current state. */
function fits({ processFields: has, processState }: RecordDecoder, { state }: Track): boolean {
  const transition = (has & bits(F.STATE)) === 0 ? undefined : TRANSITIONS[processState];
  if (transition === undefined || state === -1 || (transition.from & (1 << state)) === 0) return false;
  return (has & transition.needs) === transition.needs;
}

function isNotAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return true;
  return false;
}

function nameOf(state: number): string {
  return PROCESS_STATES[state] ?? String(state);
}

function stateIn(decoder: RecordDecoder): string {
  return (decoder.processFields & bits(F.STATE)) === 0 ? 'none' : nameOf(decoder.processState);
}

/** `null` without a name, as in the original's results; such a record is always refused. */
function nameIn(decoder: RecordDecoder): string {
  return (decoder.processFields & bits(F.PROCESS)) === 0 ? 'null' : decoder.processName();
}

/** A longer name is cut in messages: a name may have 1 MiB. */
const LONGEST_QUOTED = 256;

function quote(decoder: RecordDecoder): string {
  const name = nameIn(decoder);
  return JSON.stringify(name.length <= LONGEST_QUOTED ? name : `${name.slice(0, LONGEST_QUOTED)}…`);
}

function refused(decoder: RecordDecoder, from: number, to: number): string {
  return `process ${quote(decoder)} cannot go from ${nameOf(from)} to ${nameOf(to)}`;
}
