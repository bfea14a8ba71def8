import { encodeTop } from '../contracts/encode-top.js';
import { describeErrno, SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isShortage, shortageRemedy } from '../errors/shortage.js';
import { backupName } from '../layout/backups.js';
import { nameOf } from '../store/paths.js';
import { RecordFile } from '../store/record-file.js';
import { RefusedError } from '../store/refused.js';
import { jsonText } from '../text/json.js';
import type { Sample } from '../top/model.js';

/** What a line of a record begins with. */
const HEAD = '{"time_ms":';

/** Appends samples to a file, each as the line that `top --json` prints. */
export class SampleRecord {
  readonly #path: string;
  readonly #file: RecordFile;

  /**
   * `path`: absolute. The file is made, or checked. It gets another name when it has `maxBytes`. Throws SystemError
   * `record-unwritable`.
   */
  constructor(path: string, maxBytes: number) {
    this.#path = path;
    try {
      this.#file = new RecordFile(path, { maxBytes, previous: backupName(nameOf(path), 1), head: HEAD });
    } catch (error) {
      throw new SystemError('record-unwritable', messageOf(path, error), remedyOf(error), error);
    }
  }

  /** Appends the sample. Returns what prevents it, in the same words as long as it does; the next sample may be written. */
  add(sample: Sample, problems: readonly Problem[], pss: boolean): Problem[] {
    try {
      this.#file.append(`${jsonText(encodeTop(sample, problems, pss))}\n`);
      return [];
    } catch (error) {
      const message = `${messageOf(this.#path, error)}; samples are missing from it`;
      const hint = remedyOf(error);
      return [{ code: 'record-unwritable', severity: 'error', message, path: this.#path, hint }];
    }
  }
}

function messageOf(path: string, error: unknown): string {
  return `cannot record in ${path}: ${error instanceof RefusedError ? error.message : describeErrno(error)}`;
}

function remedyOf(error: unknown): string {
  return isShortage(error)
    ? (shortageRemedy(error) as string)
    : 'name another file with --record, in a directory that you may write to';
}
