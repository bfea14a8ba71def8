import { RecordLister } from '../checkpoint/follow.js';
import type { Damage } from '../checkpoint/framing.js';
import { isTerminalProcessState, isTerminalTaskState } from '../checkpoint/records.js';
import { type RecordedTransition, Replay } from '../checkpoint/replay.js';
import type { FoundTask } from '../discovery/found.js';
import type { Problem } from '../errors/problem.js';
import { coordinatorName, RUNNER } from '../layout/task-paths.js';
import { damagedCheckpoint } from '../task/checkpoint-problems.js';
import { SeenTransitions } from '../task/seen-transitions.js';
import { type TimedTransition, timed } from '../task/transition-reader.js';
import type { RemoteEntry } from './answers.js';
import { RemoteStream, type Unread } from './remote-stream.js';
import { unread as unreadStream } from './remote-task.js';
import type { Sandbox } from './sandbox.js';

export interface RemoteTransitionReading {
  /** In the order of the streams. */
  readonly transitions: readonly TimedTransition[];
  readonly problems: readonly Problem[];
  /** The task is over: its state is terminal, and all of it was read. */
  readonly over: boolean;
}

/** So many streams of coordinators are remembered. */
const MOST_COORDINATORS = 1000;

/** Beside `TransitionReader`, which reads files of this host: the same transitions, as an agent gives the streams. */
export class RemoteTransitionReader {
  readonly #seen = new SeenTransitions();
  readonly #path: string;
  readonly #checkpoints: string;
  readonly #coordinators = new Map<string, RemoteStream>();
  #replay!: Replay;
  #stream!: RemoteStream;
  /** What the current read of a stream has met. */
  #met: RecordedTransition[] = [];
  #restarted = false;
  #launch: unknown;
  /** What the first read finds may be old, though a runner touches its stream every few seconds. */
  #isFirst = true;
  /** Of the listing with which the stream was read. */
  #looks = '';

  constructor({ checkpoint_dir }: FoundTask) {
    this.#checkpoints = checkpoint_dir;
    this.#path = `${checkpoint_dir}/${RUNNER}`;
    this.#restart();
  }

  #restart(): void {
    const onTransition = (transition: RecordedTransition) => void this.#met.push(transition);
    this.#replay = new Replay({ history: false, onTransition });
    this.#stream = new RemoteStream(this.#path, this.#replay);
    this.#restarted = true;
  }

  /**
   * What was recorded since the last call. `running`: the agent runs the executor, so that the runner repeats what its
   * coordinators record. Never rejects.
   */
  async read(sandbox: Sandbox, found: FoundTask, running: boolean): Promise<RemoteTransitionReading> {
    const transitions: TimedTransition[] = [];
    const problems: Problem[] = [];
    const met = (
      path: string,
      { damage, unread }: { damage?: Damage; unread?: Unread },
      process?: string,
    ) => {
      const problem = problemOf(path, damage, unread, found);
      if (problem !== undefined) problems.push({ ...problem, task_id: found.task_id, process });
    };
    const entry = await sandbox.entry(this.#path);
    if (entry === 'absent') return { transitions, problems, over: false };
    if (entry === 'refused' || entry.kind !== 'file') {
      met(this.#path, { unread: 'refused' });
      return { transitions, problems, over: false };
    }
    this.#met = [];
    const result = await this.#readRunner(sandbox, entry);
    met(this.#path, result);
    const isWhole = result.damage === undefined && result.unread === undefined;
    this.#take(transitions, this.#isFirst ? undefined : entry.mtimeMs);
    if (isWhole) this.#isFirst = false;
    const over = isTerminalTaskState(this.#replay.lastStatus?.state);
    if (over || running || result.unread !== undefined) this.#coordinators.clear();
    else {
      for (const process of [...this.#seen.processesIn((state) => !isTerminalProcessState(state))]) {
        const { path, ...read } = await this.#readCoordinator(process, sandbox, transitions);
        met(path, read, process);
      }
    }
    return { transitions, problems, over: over && isWhole };
  }

  async #readRunner(sandbox: Sandbox, { size, mtimeMs }: RemoteEntry) {
    const looks = `${size} ${mtimeMs}`;
    const changed = this.#looks !== '' && this.#looks !== looks;
    // A stream is only appended to; one that was damaged may have been mended.
    if (size < this.#stream.position || (changed && this.#replay.damage !== undefined)) this.#restart();
    this.#looks = looks;
    return this.#stream.refresh(sandbox, size);
  }

  /** Adds what the runner's stream has told. `lastMs`: when all of it was written at the latest, if that is known. */
  #take(transitions: TimedTransition[], lastMs: number | undefined): void {
    const launch = this.#replay.header?.launch_time_ms;
    if (this.#restarted) {
      this.#restarted = false;
      this.#seen.restart();
      if (launch !== this.#launch) this.#seen.forget();
    }
    this.#launch = launch;
    for (const each of timed(this.#met, lastMs)) if (this.#seen.isNew(each)) transitions.push(each);
  }

  async #readCoordinator(process: string, sandbox: Sandbox, transitions: TimedTransition[]) {
    const path = `${this.#checkpoints}/${coordinatorName(process)}`;
    const entry = coordinatorName(process) === undefined ? 'absent' : await sandbox.entry(path);
    if (entry === 'absent') return { path };
    if (entry === 'refused' || entry.kind !== 'file') return { path, unread: 'refused' as const };
    const known = this.#coordinators.get(process);
    const stream =
      known === undefined || entry.size < known.position ? this.#followCoordinator(process, path) : known;
    this.#met = [];
    const result = await stream.refresh(sandbox, entry.size);
    for (const each of timed(this.#met, entry.mtimeMs)) transitions.push(each);
    return { path, ...result };
  }

  #followCoordinator(process: string, path: string): RemoteStream {
    const lister = new RecordLister(({ type, value }) => {
      const next = type === 'process_status' ? this.#seen.next(process, value) : undefined;
      if (next !== undefined) this.#met.push(next);
    });
    const stream = new RemoteStream(path, lister);
    if (this.#coordinators.size < MOST_COORDINATORS) this.#coordinators.set(process, stream);
    return stream;
  }
}

function problemOf(
  path: string,
  damage: Damage | undefined,
  why: Unread | undefined,
  { phase }: FoundTask,
): Problem | undefined {
  if (why !== undefined) return unreadStream(path, why);
  // The end of a record that is being written comes with the next look.
  if (damage === undefined || (damage.kind === 'incomplete' && phase === 'active')) return undefined;
  return damagedCheckpoint(path, damage, true);
}
