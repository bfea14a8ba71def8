import {
  type Int64,
  isTerminalProcessState,
  type ProcessState,
  type ProcessStatus,
} from '../checkpoint/records.js';
import type { RecordedTransition } from '../checkpoint/replay.js';
import { followingSeq, mayFollow } from '../checkpoint/transitions.js';

/** The last transition of a process that was seen. */
interface Last {
  seq: Int64;
  state: ProcessState;
  run: number;
  pid: number | undefined;
}

/**
 * Which transitions of a task were seen: each is new once, however often its stream is read, and whichever stream has
 * it first, the runner's or a coordinator's. Pure.
 */
export class SeenTransitions {
  readonly #processes = new Map<string, Last>();
  /** The transitions of the task: seen, and met since its stream was read from its start. */
  #seen = 0;
  #met = 0;

  /** The runner's stream is read from its start again. */
  restart(): void {
    this.#met = 0;
  }

  /** It is the stream of another task: nothing of it was seen. */
  forget(): void {
    this.#processes.clear();
    this.#seen = 0;
    this.#met = 0;
  }

  /**
   * True if the next transition in the runner's stream is new. What a coordinator recorded is not new when the runner
   * repeats it, but a runner may also record something else with that number.
   */
  isNew(transition: RecordedTransition): boolean {
    const { process, seq = 0, state, run = 0, pid } = transition;
    if (process === undefined) {
      this.#met += 1;
      if (this.#met <= this.#seen) return false;
      this.#seen = this.#met;
      return true;
    }
    const last = this.#processes.get(process);
    if (last !== undefined && (seq < last.seq || (seq === last.seq && state === last.state))) return false;
    this.#processes.set(process, { seq, state: state as ProcessState, run, pid });
    return true;
  }

  /**
   * The transition that the next record in the stream of a process's coordinator stands for; undefined if it does not
   * continue what was seen of the process.
   */
  next(process: string, record: ProcessStatus): RecordedTransition | undefined {
    const last = this.#processes.get(process);
    if (last === undefined || record.process !== process || record.seq !== followingSeq(last.seq))
      return undefined;
    if (!mayFollow(last.state, record)) return undefined;
    const { seq, return_code, fork_time, start_time, stop_time } = record;
    const state = record.state as ProcessState;
    const { run, state: was } = last;
    const pid = state === 'RUNNING' ? record.pid : last.pid;
    this.#processes.set(process, { seq, state, run, pid });
    const seconds = state === 'FORKED' ? fork_time : state === 'RUNNING' ? start_time : stop_time;
    const time_ms = seconds === undefined ? undefined : seconds * 1000;
    return {
      process,
      seq,
      run,
      was,
      state,
      time_ms,
      pid,
      return_code: isTerminalProcessState(state) ? return_code : undefined,
    };
  }

  /** The processes in a state for which this is true. */
  *processesIn(isOne: (state: ProcessState) => boolean): Generator<string> {
    for (const [process, { state }] of this.#processes) if (isOne(state)) yield process;
  }
}
