import { describeErrno, errnoOf } from '../errors/errors.js';
import { isShortage } from '../errors/shortage.js';
import { accountGroups } from '../host/groups.js';
import { Directories } from '../store/directories.js';
import { statFile } from '../store/look.js';
import { directoriesAbove, findUntrusted, pathOwner } from '../store/ownership.js';

/** The file in a sandbox that bash reads before each command line. */
export const PROFILE = '.thermos_profile';

/** The path for bash, or why the file must not be read. */
export type Profile =
  | { readonly path: string; readonly refusal?: undefined }
  | { readonly path?: undefined; readonly refusal: string; readonly remedy?: string };

/**
 * The profile of a sandbox for processes of a user; undefined if there is none. A file that others could have written is
 * refused, because it would be executed as the user. Bash opens it by its path, so every directory on the way is checked,
 * too; `path` contains no links. `chroot`: the sandbox is the root directory of the processes.
 */
export function profileOf(sandbox: string, uid: number, chroot = false): Profile | undefined {
  const directories = new Directories();
  try {
    const stat = statFile(`${sandbox}/${PROFILE}`, { below: sandbox, directories });
    if (stat === undefined) return undefined;
    const way = [...directoriesAbove(sandbox, directories)];
    const path = `${way.at(-1)?.path}/${PROFILE}`;
    const stranger = findUntrusted([...way, pathOwner(path, stat)], new Set([0, uid]), accountGroups());
    if (stranger !== undefined) {
      return { refusal: `${stranger.path} ${stranger.what}`, remedy: stranger.remedy };
    }
    if (!stat.isFile()) return { refusal: 'it is not a regular file' };
    return { path: chroot ? `/${PROFILE}` : path };
  } catch (error) {
    if (isShortage(error)) throw error;
    return errnoOf(error) === 'ENOENT' ? undefined : { refusal: describeErrno(error) };
  } finally {
    directories.close();
  }
}
