import { RecordLister } from '../checkpoint/follow.js';
import { readStream } from '../checkpoint/reader.js';
import type { CheckpointRecord } from '../checkpoint/records.js';
import { errnoOf, SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isShortage } from '../errors/shortage.js';
import { unreadableCheckpoint } from '../task/checkpoint-problems.js';
import type { RunnerRoot } from './runner-root.js';

/** The streams of a task's processes; each read continues where the last one ended. */
export class CoordinatorStreams {
  readonly #root: RunnerRoot;
  readonly #record: (record: CheckpointRecord) => void;
  readonly #listers = new Map<string, RecordLister>();
  /** Processes whose stream has already had a problem. */
  readonly #faulty = new Set<string>();

  /** `record` is called with each record in a stream that is about its process. */
  constructor(root: RunnerRoot, record: (record: CheckpointRecord) => void) {
    this.#root = root;
    this.#record = record;
  }

  /** Reads new records from the stream of a process. Returns its problem the first time that one is found. */
  read(process: string): Problem | undefined {
    const path = this.#root.paths.coordinator(process);
    // A name that leads out of the directory has no stream.
    if (path === undefined) return undefined;
    const lister = this.#lister(process);
    try {
      this.#root.useCoordinator(process, (file) => readStream(file, lister));
    } catch (error) {
      if (error instanceof SystemError || errnoOf(error) === undefined || isShortage(error)) {
        // The next try must read from the beginning: the last record may not have been taken over.
        this.#listers.delete(process);
        throw error;
      }
      if (errnoOf(error) === 'ENOENT') return undefined;
      // Something else is in its place: there are no final records, and the end is noticed without them.
      return this.#once({ ...unreadableCheckpoint(path, error), process });
    }
    if (lister.damage?.kind !== 'damaged') return undefined;
    // A repair or the next run may restart the stream, so read it from the beginning.
    this.#listers.delete(process);
    const { offset, reason } = lister.damage;
    const message = `the stream of process ${JSON.stringify(process)} is damaged at byte ${offset}: ${reason}`;
    return this.#once({ code: 'checkpoint-damaged', severity: 'error', message, path, offset, process });
  }

  #lister(process: string): RecordLister {
    const known = this.#listers.get(process);
    if (known !== undefined) return known;
    const lister = new RecordLister((record) => {
      if (record.type === 'process_status' && record.value.process === process) this.#record(record);
    });
    this.#listers.set(process, lister);
    return lister;
  }

  #once(problem: Problem & { process: string }): Problem | undefined {
    if (this.#faulty.has(problem.process)) return undefined;
    this.#faulty.add(problem.process);
    return problem;
  }
}
