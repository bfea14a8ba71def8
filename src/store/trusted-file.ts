import { readlinkSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import type { Groups } from '../host/groups.js';
import { Directories } from './directories.js';
import { openFile } from './open-file.js';
import { directoriesTo, findUntrusted, pathOwner, type UntrustedPath } from './ownership.js';
import { parentOf } from './paths.js';

/** The text of a file, or who else could have written it. */
export type TrustedText = { text: string } | { untrusted: UntrustedPath };

/**
 * Reads a small file that only one of these users can have written or put there; undefined if there is none. A link is
 * followed, and both its directories and those of the file count. Throws system errors, and RefusedError.
 */
export function readTrusted(
  path: string,
  { trusted, groups, max }: { trusted: ReadonlySet<number>; groups: () => Groups; max: number },
): TrustedText | undefined {
  let file: ReturnType<typeof openFile>;
  try {
    file = openFile(path, { links: 'follow', max });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
  const directories = new Directories();
  try {
    const real = readlinkSync(`/proc/self/fd/${file.fd}`);
    const owners = [
      ...directoriesTo(parentOf(path), [], directories),
      ...directoriesTo(parentOf(real), [], directories),
      pathOwner(real, file.stat),
    ];
    const untrusted = findUntrusted(owners, trusted, groups());
    return untrusted === undefined ? { text: file.read(max).toString('utf8') } : { untrusted };
  } finally {
    directories.close();
    file.close();
  }
}
