import { basename, dirname, resolve } from 'node:path';
import { EXAMPLE } from '../config/example.js';
import { describeErrno, errnoOf, SystemError, UsageError } from '../errors/errors.js';
import { isShortage, shortageRemedy } from '../errors/shortage.js';
import { CopyTarget } from '../store/copy-target.js';
import { isDirectory } from '../store/look.js';

export interface InitOptions {
  /** Replaces a file that exists. */
  readonly force: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Permissions that the file does not get. */
  readonly umask: number;
}

/** A config that was written. */
export interface WrittenConfig {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/** By its name, a file with one of these endings is not a task in Python. */
const OTHER_KINDS = /\.(json|aurora|mesos_recipe)$/;

/**
 * Writes the example config under its whole name at once: a full disk leaves no half file. A link that is replaced is not
 * followed. Throws UsageError `config-exists`, and SystemError `config-unwritable`.
 */
export function writeExample(file: string, { force, now, umask }: InitOptions): WrittenConfig {
  const [, ending] = OTHER_KINDS.exec(file) ?? [];
  if (ending !== undefined) {
    throw new UsageError(
      'usage',
      `a file that ends in .${ending} is not read as a task in Python, which init writes`,
    );
  }
  if (file === '' || file.endsWith('/') || isDirectory(file)) {
    throw new UsageError('usage', `'${file}' is not a name for a file`);
  }
  const text = Buffer.from(EXAMPLE);
  const failed = (error: unknown) => {
    if (errnoOf(error) === 'EEXIST') {
      return new UsageError('config-exists', `${file} exists, and is not overwritten`, '--force replaces it');
    }
    const hint = isShortage(error) ? shortageRemedy(error) : undefined;
    return new SystemError('config-unwritable', `cannot write ${file}: ${describeErrno(error)}`, hint, error);
  };
  let directory: CopyTarget | undefined;
  try {
    directory = new CopyTarget(dirname(file));
    const name = Buffer.from(basename(file)).toString('latin1');
    const copy = directory.makeFile(name, force);
    try {
      copy.write(text, 0);
    } catch (error) {
      copy.abandon();
      throw error;
    }
    copy.finish({ mode: 0o666 & ~umask, atime_ms: now, mtime_ms: now });
  } catch (error) {
    throw failed(error);
  } finally {
    directory?.close();
  }
  return { path: resolve(file), bytes: text.length };
}
