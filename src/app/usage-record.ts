import type { ProblemCode } from '../errors/codes.js';
import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { backupName } from '../layout/backups.js';
import { linesOf } from '../store/line-reader.js';
import { type OpenFile, openFile, useFile } from '../store/open-file.js';
import { RefusedError } from '../store/refused.js';
import type { TaskView } from '../task/view.js';
import { size } from '../text/size.js';
import { recordedSample } from '../top/recorded.js';
import { type TaskHistory, UsageHistory } from '../top/usage-history.js';
import { launchTimeOf } from './sampled-task.js';

export interface RecordLimits {
  /** No more is read at once, of the end of the record. */
  readonly bytes: number;
  /** Of a line. */
  readonly line: number;
}

const LIMITS: RecordLimits = { bytes: 256 * 1024 * 1024, line: 16 * 1024 * 1024 };

/** A file of which all but what comes after `read` is known. */
interface Known {
  readonly dev: number;
  readonly ino: number;
  readonly read: number;
}

/** What `top --record FILE` has written into a file, and into the one before it. */
export class UsageRecord {
  readonly #path: string;
  readonly #now: () => number;
  readonly #limits: RecordLimits;
  readonly #history = new UsageHistory();
  #known: Known | undefined;
  #isUseful = false;

  /** `path`: absolute. `now`: milliseconds since the epoch. */
  constructor(path: string, now: () => number, limits: RecordLimits = LIMITS) {
    this.#path = path;
    this.#now = now;
    this.#limits = limits;
  }

  /** Reads what has come since the last time. Returns what is wrong with it. */
  read(): Problem[] {
    try {
      return this.#read();
    } catch (error) {
      const reason = error instanceof RefusedError ? error.message : describeErrno(error);
      const message = `cannot read the record ${this.#path}: ${reason}`;
      return [{ code: 'record-unreadable', severity: 'error', message, path: this.#path }];
    }
  }

  /** What is recorded of a task. */
  of(view: TaskView): TaskHistory | undefined {
    const { task_id, root } = view;
    const history = this.#history.of({ task_id, root: root.path, launchTimeMs: launchTimeOf(view) });
    this.#isUseful ||= history !== undefined;
    return history;
  }

  /** A problem if nothing that was asked for is in it, although it was read. */
  missing(): Problem[] {
    if (this.#isUseful || this.#known === undefined) return [];
    return [this.#problem('record-empty', `the record ${this.#path} has no sample of these tasks`)];
  }

  #read(): Problem[] {
    return useFile(this.#path, {}, (file) => {
      const known = this.#known;
      const isKnown = known !== undefined && isSame(known, file.stat);
      const older = isKnown ? undefined : this.#older(file);
      try {
        const parts: UnreadPart[] = [];
        if (older !== undefined) parts.push({ file: older, from: startIn(older, known) });
        parts.push({ file, from: startIn(file, known) });
        return this.#take(parts);
      } finally {
        older?.close();
      }
    });
  }

  /** The file that was full, if there is one. */
  #older(file: OpenFile): OpenFile | undefined {
    try {
      const older = openFile(backupName(this.#path, 1));
      if (!isSame(older.stat, file.stat)) return older;
      older.close();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    return undefined;
  }

  #take(parts: readonly UnreadPart[]): Problem[] {
    const total = parts.reduce((sum, { file, from }) => sum + file.stat.size - from, 0);
    let skipped = Math.max(0, total - this.#limits.bytes);
    const problems: Problem[] = [];
    if (skipped > 0) problems.push(this.#problem('record-too-large', this.#tooLarge(total)));
    const now = this.#now();
    const damage = { lines: 0, first: '' };
    for (const { file, from } of parts) {
      const skip = Math.min(skipped, file.stat.size - from);
      skipped -= skip;
      const lines = linesOf(file, { from: from + skip, longest: this.#limits.line });
      let next = lines.next();
      for (; !next.done; next = lines.next()) {
        const { at, text } = next.value;
        const sample = text === undefined ? undefined : recordedSample(text);
        if (sample !== undefined && this.#history.add(sample, now)) continue;
        damage.lines += 1;
        damage.first ||= `at byte ${at} of ${file.path}`;
      }
      this.#known = { dev: file.stat.dev, ino: file.stat.ino, read: next.value };
    }
    if (damage.lines > 0) {
      const { lines, first } = damage;
      const message = `${lines === 1 ? 'a line' : `${lines} lines`} of the record ${lines === 1 ? 'is' : 'are'} left out, the first ${first}: not a past sample of this machine`;
      problems.push(this.#problem('record-damaged', message));
    }
    if (this.#history.isFull) {
      const message = `the record ${this.#path} has too many tasks and processes: those after the first 20,000 are left out`;
      problems.push(this.#problem('record-too-large', message));
    }
    return problems;
  }

  #tooLarge(bytes: number): string {
    return `the record ${this.#path} has ${size(bytes)}: only its last ${size(this.#limits.bytes)} are read`;
  }

  #problem(code: ProblemCode, message: string): Problem {
    return { code, severity: 'warning', message, path: this.#path };
  }
}

interface UnreadPart {
  readonly file: OpenFile;
  readonly from: number;
}

function isSame(a: Pick<Known, 'dev' | 'ino'>, b: Pick<Known, 'dev' | 'ino'>): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** From where on it is not known; from its beginning if it was cut. */
function startIn({ stat }: OpenFile, known: Known | undefined): number {
  return known !== undefined && isSame(known, stat) && known.read <= stat.size ? known.read : 0;
}
