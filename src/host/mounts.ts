import { closeSync, openSync, readSync } from 'node:fs';

/** One line of /proc/self/mountinfo. */
export interface Mount {
  /** Where it is mounted. */
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  /** The directory of the file system that is mounted there. */
  readonly root: string;
  /** The type of the file system. */
  readonly type: string;
  /** Of the whole file system. */
  readonly options: readonly string[];
  /** Whether this mount or the whole file system is read-only. */
  readonly readOnly: boolean;
}

/** Parses /proc/self/mountinfo (proc(5)), in the order of mounting; other lines are left out. */
export function parseMounts(mountinfo: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of mountinfo.split('\n')) {
    // Optional fields end with a lone dash; blanks inside fields are written \040.
    const [here, whole] = line.split(' - ', 2);
    const [, , device, root, path, options] = here?.split(' ') ?? [];
    const [type, , wholeOptions = ''] = whole?.split(' ') ?? [];
    const numbers = /^(\d+):(\d+)$/.exec(device ?? '');
    if (numbers === null || root === undefined || path === undefined || options === undefined || !type)
      continue;
    mounts.push({
      path: unescaped(path),
      root: unescaped(root),
      major: Number(numbers[1]),
      minor: Number(numbers[2]),
      type,
      options: wholeOptions.split(','),
      readOnly: [options, wholeOptions].some((list) => list.split(',').includes('ro')),
    });
  }
  return mounts;
}

function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mount that a real path is on: the innermost one, and of several on the same point the last. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    if (!isOnMount(path, mount.path)) continue;
    if (found === undefined || mount.path.length >= found.path.length) found = mount;
  }
  return found;
}

/** Is the path the directory, or something in it? Pure text. */
export function isOnMount(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

const fdInfo = Buffer.alloc(512);

/** The mount that an open file is on (proc(5), `mnt_id`): a bind mount has the same device as its source. */
export function mountIdOf(fd: number): string {
  const info = openSync(`/proc/self/fdinfo/${fd}`, 'r');
  try {
    const text = fdInfo.toString('latin1', 0, readSync(info, fdInfo, 0, fdInfo.length, 0));
    return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1] ?? '';
  } finally {
    closeSync(info);
  }
}
