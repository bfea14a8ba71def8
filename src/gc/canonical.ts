import type { Stats } from 'node:fs';
import { describeErrno } from '../errors/errors.js';
import { othersMayWrite } from '../host/mode.js';
import { linkTarget, realPath, statFile } from '../store/look.js';
import { isWithin } from '../store/paths.js';

/** A path without links, or why it cannot be trusted. */
export type Canonical = { path: string } | { absent: true } | { refused: string };

const MOST_LINKS = 40;

/** Access to the disk; tests replace it. */
export interface PathReader {
  /** Does not follow the last name. Undefined if it does not exist; throws system errors. */
  readonly stat: (path: string) => LinkStat | undefined;
  readonly linkTarget: (path: string) => string | undefined;
  readonly realPath: (path: string) => string | undefined;
}

export type LinkStat = Pick<Stats, 'uid' | 'mode' | 'isDirectory' | 'isSymbolicLink'>;

export const ON_DISK: PathReader = { stat: (path) => statFile(path), linkTarget, realPath };

/** Caches the directories that the paths of many tasks have in common. */
export class PathCache {
  readonly #reader: PathReader;
  readonly #directories = new Map<string, LinkStat>();
  readonly #realPaths = new Map<string, string | undefined>();

  constructor(reader: PathReader = ON_DISK) {
    this.#reader = reader;
  }

  /** Undefined if it does not exist. `common`: cache the directory, which is likely to be needed again. */
  stat(path: string, common: boolean): LinkStat | undefined {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const stat = this.#reader.stat(path);
    if (common && stat?.isDirectory()) this.#directories.set(path, stat);
    return stat;
  }

  linkTarget(path: string): string | undefined {
    return this.#reader.linkTarget(path);
  }

  /** Undefined if it does not exist or is not accessible. */
  realPath(path: string): string | undefined {
    if (!this.#realPaths.has(path)) this.#realPaths.set(path, this.#reader.realPath(path));
    return this.#realPaths.get(path);
  }
}

/**
 * The path without links. A link on the way is followed only if nobody but root or the caller could have created it
 * (`/var/run` is one on most hosts): its owner and that of its directory are trusted, and nobody else may write there.
 * Any other link is refused, because its owner could change its target later; so is `..`. The way to one of `bases`,
 * which the caller of gc named, may contain any links; the rest of the path none. `cache` is for many paths at one moment.
 */
export function canonical(
  path: string,
  euid: number,
  bases: readonly string[] = [],
  cache: PathCache = new PathCache(),
): Canonical {
  if (!path.startsWith('/') || path.includes('\0')) return { refused: 'it is not an absolute path' };
  if (path.split('/').includes('..')) return { refused: 'its path contains ..' };
  let at = '';
  let rest = segmentsOf(path);
  let linksAllowed = true;
  for (const base of bases) {
    const real = isWithin(path, base) ? cache.realPath(base) : undefined;
    if (real === undefined) continue;
    at = real === '/' ? '' : real;
    rest = segmentsOf(path.slice(base === '/' ? 0 : base.length));
    linksAllowed = false;
    break;
  }
  try {
    let directory = cache.stat(at || '/', true);
    for (let links = 0; rest.length > 0; ) {
      const name = rest.shift() as string;
      if (name === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        directory = cache.stat(at || '/', true);
        continue;
      }
      const next = `${at}/${name}`;
      const stat = cache.stat(next, rest.length > 1);
      if (stat === undefined) return { absent: true };
      if (!stat.isSymbolicLink()) {
        at = next;
        directory = stat;
        continue;
      }
      if (!linksAllowed || ++links > MOST_LINKS || !isTrusted(stat, directory, euid)) {
        return { refused: `${next} is a link` };
      }
      const target = cache.linkTarget(next);
      if (target === undefined) return { absent: true };
      if (target.startsWith('/')) at = '';
      rest = [...segmentsOf(target), ...rest];
      directory = cache.stat(at || '/', true);
    }
  } catch (error) {
    return { refused: `its path cannot be checked: ${describeErrno(error)}` };
  }
  return { path: at || '/' };
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function isTrusted(link: LinkStat, directory: LinkStat | undefined, euid: number): boolean {
  if (directory === undefined) return false;
  const trusted = (uid: number) => uid === 0 || uid === euid;
  return trusted(link.uid) && trusted(directory.uid) && !othersMayWrite(directory.mode);
}
