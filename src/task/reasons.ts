import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { MOST_REASONS_BYTES, parseReasons, REASONS, type Reason } from '../layout/reasons.js';
import { type OpenOptions, useFile } from '../store/open-file.js';
import { unreadable } from '../store/problems.js';

/**
 * What the programs that ran or ended a task kept beside its stream, opened as `opening` says; nothing if they kept
 * nothing. Only the beginning of a file that is longer than ours is read.
 */
export function readReasons(
  directory: string,
  opening: OpenOptions,
): { reasons: readonly Reason[]; problem?: Problem } {
  const path = `${directory}/${REASONS}`;
  try {
    const text = useFile(path, opening, (file) => file.read(MOST_REASONS_BYTES).toString('utf8'));
    return { reasons: parseReasons(text) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { reasons: [] };
    const tried = `read the reasons in ${path}`;
    const code = 'reasons-unreadable';
    const what = 'the file of reasons';
    return { reasons: [], problem: unreadable({ code, tried, what, error, path, severity: 'warning' }) };
  }
}
