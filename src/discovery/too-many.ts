import type { Problem } from '../errors/problem.js';

/** The problem of a directory of which only the first entries were looked at. */
export function tooManyEntries(path: string, most: number): Problem {
  return {
    code: 'directory-too-large',
    severity: 'error',
    message: `${path} has more than ${most} entries: only ${most} of them were looked at`,
    path,
    hint: 'remove what does not belong there',
  };
}
