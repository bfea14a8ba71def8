import type { FoundTask } from '../discovery/found.js';
import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import { LAYOUTS } from '../layout/layouts.js';
import { coordinatorName, RUNNER } from '../layout/task-paths.js';
import { Directories } from '../store/directories.js';
import { modificationOf, presenceOf } from '../store/look.js';
import { type FileStat, type OpenOptions, openFile } from '../store/open-file.js';
import { damagedCheckpoint, unreadableCheckpoint } from './checkpoint-problems.js';
import { runnerLiveness } from './liveness.js';
import { OrderedTransitions } from './ordered-transitions.js';
import { startsOfTask } from './starts.js';
import {
  type TimedTransition,
  TransitionReader,
  type TransitionReading,
  type TransitionStreams,
} from './transition-reader.js';
import type { TransitionLook } from './transition-watch.js';

/** How many transitions are put in the order of time at once. */
const MOST_AT_ONCE = 250_000;

/** A task of which nothing is announced is read again after this time: its runner may have died. Milliseconds. */
const CHECK_MS = 5000;
/** Reading one task takes at most 1/SHARE of the time: if announced, checked, or polled. */
const SHARE = 2;
const CHECKED_SHARE = 200;
const POLLED_SHARE = 20;
/** Reading one task keeps the others waiting for about this time at most. Milliseconds. */
const LONGEST_MS = 50;

interface FollowedStreams {
  found: FoundTask;
  reader: TransitionReader<FileStat>;
  /** Transitions from before this time are not asked for. */
  sinceMs: number;
  /** Something may be new. */
  due: boolean;
  /** When it was read, by the clock, and how long that took. */
  readAt: number;
  spent: number;
  /** The time of its last transition. */
  lastMs: number;
}

/**
 * The transitions of the tasks of a host, read repeatedly: of each stream only what is new, and nothing of a task that
 * is over. A task that is found later is read from its start.
 */
export class TransitionBoard {
  readonly #clock: () => number;
  readonly #followed = new Map<string, FollowedStreams>();
  /** By checkpoint directory, of tasks that are over: the time of the last transition. */
  readonly #over = new Map<string, number>();
  #sinceMs: number;
  #nowMs: number | undefined;

  /** Transitions from before `sinceMs` are not asked for. `clock`: in milliseconds from any point. */
  constructor(sinceMs: number, clock: () => number) {
    this.#sinceMs = sinceMs;
    this.#clock = clock;
  }

  /** The checkpoint directories of the tasks that may have new transitions. */
  get directories(): Iterable<string> {
    return this.#followed.keys();
  }

  /** Takes the tasks as they were found again. `nowMs`: the time of day. */
  update(tasks: readonly FoundTask[], nowMs: number): void {
    // The clock was set back, and with it that of the runners.
    if (this.#nowMs !== undefined && nowMs < this.#nowMs) this.#sinceMs -= this.#nowMs - nowMs;
    this.#nowMs = nowMs;
    const here = new Set<string>();
    for (const found of tasks) {
      here.add(found.checkpoint_dir);
      if (!found.unreadable) this.#update(found);
    }
    // A root that cannot be listed for a while still has its tasks.
    const isGone = (directory: string) => !here.has(directory) && presenceOf(directory) === 'absent';
    for (const directory of this.#followed.keys()) if (isGone(directory)) this.#followed.delete(directory);
    for (const directory of this.#over.keys()) if (isGone(directory)) this.#over.delete(directory);
  }

  #update(found: FoundTask): void {
    const key = found.checkpoint_dir;
    const known = this.#followed.get(key);
    if (known !== undefined) {
      if (known.found !== found) known.due = true;
      known.found = found;
      return;
    }
    const lastMs = this.#over.get(key);
    if (found.phase === 'finished') {
      if (lastMs !== undefined) return;
      const writtenMs = modificationOf(`${key}/${RUNNER}`);
      if (writtenMs !== undefined && writtenMs < this.#sinceMs) {
        this.#over.set(key, Number.NEGATIVE_INFINITY);
        return;
      }
    }
    this.#over.delete(key);
    this.#followed.set(key, {
      found,
      // The streams are given to each read.
      reader: new TransitionReader(streamsOf(found, undefined)),
      sinceMs: Math.max(this.#sinceMs, (lastMs ?? Number.NEGATIVE_INFINITY) + 1),
      due: true,
      readAt: Number.NEGATIVE_INFINITY,
      spent: 0,
      lastMs: Number.NEGATIVE_INFINITY,
    });
  }

  /**
   * Reads the tasks whose directories have changed, and from time to time the others, all if changes are not announced
   * (`polls`).
   */
  read(look: () => Host, changed: ReadonlySet<string>, polls: boolean): TransitionLook {
    for (const directory of changed) {
      const followed = this.#followed.get(directory);
      if (followed !== undefined) followed.due = true;
    }
    const collected = new FoundTransitions();
    const directories = new Directories();
    let host: Host | undefined;
    try {
      for (const followed of this.#followed.values()) {
        const age = this.#clock() - followed.readAt;
        const check = polls
          ? POLLED_SHARE * followed.spent
          : Math.max(CHECK_MS, CHECKED_SHARE * followed.spent);
        followed.due ||= age >= check;
        if (!followed.due || age < SHARE * followed.spent || collected.isFull) continue;
        // The locks are looked at before the streams: a runner that holds none has written its last record.
        host ??= look();
        host.lookAtLocks();
        this.#read(followed, streamsOf(followed.found, host, directories), collected);
      }
    } finally {
      directories.close();
    }
    const more = this.rest !== undefined;
    return { transitions: collected.inOrder(), problems: collected.problems, more };
  }

  /** Milliseconds until there is more to read of what is known to have changed; undefined if all of it was read. */
  get rest(): number | undefined {
    let rest: number | undefined;
    const now = this.#clock();
    for (const { due, readAt, spent } of this.#followed.values()) {
      if (due) rest = Math.min(rest ?? Number.POSITIVE_INFINITY, Math.max(0, readAt + SHARE * spent - now));
    }
    return rest;
  }

  #read(followed: FollowedStreams, streams: TransitionStreams<FileStat>, collected: FoundTransitions): void {
    const { found, reader, sinceMs } = followed;
    const start = this.#clock();
    const transitions: TimedTransition[] = [];
    let reading: TransitionReading;
    let spent: number;
    do {
      reading = reader.read(streams);
      for (const transition of reading.transitions) {
        followed.lastMs = Math.max(followed.lastMs, transition.time_ms);
        transitions.push(transition);
      }
      for (const fault of reading.faults) collected.met(found, fault);
      spent = this.#clock() - start;
    } while (reading.more && spent < LONGEST_MS && collected.size + transitions.length < MOST_AT_ONCE);
    collected.add(found, transitions, sinceMs);
    followed.due = reading.more;
    followed.readAt = start;
    followed.spent = spent;
    if (!reading.over || reading.more || found.phase !== 'finished') return;
    this.#followed.delete(found.checkpoint_dir);
    this.#over.set(found.checkpoint_dir, followed.lastMs);
  }
}

/** What a look has found. */
class FoundTransitions extends OrderedTransitions {
  readonly problems: Problem[] = [];

  get isFull(): boolean {
    return this.size >= MOST_AT_ONCE;
  }

  met(found: FoundTask, { process, damage, error }: TransitionReading['faults'][number]): void {
    const { task_id, phase, checkpoint_dir } = found;
    const name = process === undefined ? RUNNER : coordinatorName(process);
    const path = `${checkpoint_dir}/${name}`;
    // The end of a record that is being written comes with the next look.
    if (damage?.kind === 'incomplete' && phase === 'active') return;
    const problem =
      damage === undefined ? unreadableCheckpoint(path, error) : damagedCheckpoint(path, damage, true);
    this.problems.push({ ...problem, task_id, process });
  }
}

/** The streams of a task on this host, opened as its owner could. */
function streamsOf(
  found: FoundTask,
  host: Host | undefined,
  directories?: Directories,
): TransitionStreams<FileStat> {
  const { root, checkpoint_dir } = found;
  const opening: OpenOptions = { below: LAYOUTS[root.layout].base(root), as: 'owner', directories };
  return {
    runner: () => openFile(`${checkpoint_dir}/${RUNNER}`, opening),
    coordinator: (process) => {
      const name = coordinatorName(process);
      return name === undefined ? undefined : () => openFile(`${checkpoint_dir}/${name}`, opening);
    },
    isWithoutRunner: (stat, { header, lastStatus }) => {
      if (host === undefined) return false;
      const { runner_pid, runner_uid, timestamp_ms } = lastStatus ?? {};
      const recorded = {
        pid: runner_pid,
        uid: runner_uid,
        timestampMs: timestamp_ms === undefined ? undefined : Number(timestamp_ms),
      };
      const starts = () => startsOfTask(found, header?.uid, host, directories).starts;
      return runnerLiveness(host, stat, recorded, starts).alive !== true;
    },
  };
}
