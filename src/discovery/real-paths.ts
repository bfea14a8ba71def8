import { lstatSync } from 'node:fs';
import { realPath } from './files.js';
import type { RealPath } from './relocate.js';

/**
 * As `realPath`, for very many paths that lie in few directories, at one moment: what a directory leads to is
 * asked once, and a path costs one lstat, or nothing if its directory isn't there. `realpath(3)` for each of
 * 10,000 tasks takes two seconds, this takes a twentieth.
 */
export function realPathsOfOneMoment(): RealPath {
  const directories = new Map<string, string | undefined>();
  const directory = (path: string): string | undefined => {
    if (path === '') return '';
    if (directories.has(path)) return directories.get(path);
    const real = resolve(path);
    directories.set(path, real);
    return real;
  };
  const resolve = (path: string): string | undefined => {
    // Parts that stand for other places are left to the system, and so are paths that aren't absolute.
    if (!path.startsWith('/') || path.includes('\0') || /\/(\.{0,2})(\/|$)/.test(path)) return realPath(path);
    const slash = path.lastIndexOf('/');
    const parent = directory(path.slice(0, slash));
    if (parent === undefined) return undefined;
    try {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      return stat.isSymbolicLink() ? realPath(path) : `${parent}${path.slice(slash)}`;
    } catch {
      return undefined;
    }
  };
  return resolve;
}
