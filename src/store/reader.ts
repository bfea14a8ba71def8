import type { Stats } from 'node:fs';

/** A user on whose behalf root opens a file. */
export interface Reader {
  readonly uid: number;
  /** All groups of the user; called only if they matter. */
  readonly groups: () => readonly number[];
}

type Permissions = Pick<Stats, 'uid' | 'gid' | 'mode'>;

/** May the user read the file, by its owner and mode bits (path_resolution(7))? Pure. */
export function mayRead(file: Permissions, reader: Reader): boolean {
  return permits(file, reader, 0o4);
}

/** May the user pass through the directory? Pure. */
export function maySearch(directory: Permissions, reader: Reader): boolean {
  return permits(directory, reader, 0o1);
}

function permits({ uid, gid, mode }: Permissions, reader: Reader, bit: number): boolean {
  if (reader.uid === 0) return true;
  if (uid === reader.uid) return (mode & (bit << 6)) !== 0;
  // The bits of others are compared first: a directory service may have to be asked for the groups of a user.
  const others = (mode & bit) !== 0;
  const group = (mode & (bit << 3)) !== 0;
  if (others === group) return others;
  return reader.groups().includes(gid) ? group : others;
}
