import { lstatSync } from 'node:fs';

/**
 * Users other than root who may have put something where it is: whoever owns it or a directory around it, as named
 * by the caller. What isn't there is nobody's. What they wrote down of pids and users, only they have to answer for.
 */
export function authorsOf(paths: Iterable<string>): number[] {
  const authors = new Set<number>();
  for (const path of paths) {
    try {
      const { uid } = lstatSync(path);
      if (uid !== 0) authors.add(uid);
    } catch {
      // It can't be looked at: then nothing is read from there either.
    }
  }
  return [...authors];
}
