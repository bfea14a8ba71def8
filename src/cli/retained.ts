import { describeErrno, UsageError } from '../errors/errors.js';
import { parseRetained } from '../gc/reconcile.js';
import { readInput } from '../store/input.js';

/** A line for each task of a host. */
const MOST_RETAINED_BYTES = 64 * 1024 * 1024;

/** The schedule statuses in a file, or on stdin. Throws UsageError `bad-retained`. */
export function readRetained(path: string): Map<string, string> {
  const from = path === '-' ? 'stdin' : path;
  let text: string;
  try {
    text = readInput(path === '-' ? 0 : path, { max: MOST_RETAINED_BYTES }).toString('utf8');
  } catch (error) {
    throw new UsageError('bad-retained', `cannot read ${from}: ${describeErrno(error)}`);
  }
  return parseRetained(text, from);
}
