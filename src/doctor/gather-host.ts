import type { TaskRoot } from '../discovery/found.js';
import type { Host } from '../host/host.js';
import { type Mount, mountOf } from '../host/mounts.js';
import { LAYOUTS } from '../layout/layouts.js';
import { deviceOf, fileSystemOf } from '../store/disk.js';
import { mayUse, presenceOf, realPath, statFile } from '../store/look.js';
import { parentOf } from '../store/paths.js';
import type { ClosedDirectory } from './check-access.js';
import type { Disk } from './check-disk.js';

/** A directory whose disk is checked. */
export interface DiskPlace {
  path: string;
  inUse: boolean;
  headroom?: number;
}

/** The disks that directories are on, each once. A directory that can't be examined is left out. */
export function gatherDisks(places: Iterable<DiskPlace>, mounts: readonly Mount[]): Disk[] {
  const disks = new Map<number, Disk>();
  for (const { path, inUse, headroom } of places) {
    try {
      const key = deviceOf(path);
      const known = disks.get(key);
      if (known !== undefined) {
        known.inUse ||= inUse;
        known.headroom ??= headroom;
        continue;
      }
      const mount = mountOf(realPath(path) ?? path, mounts);
      disks.set(key, {
        path,
        mountPoint: mount?.path,
        readOnly: mount?.readOnly ?? false,
        ...fileSystemOf(path),
        headroom,
        inUse,
      });
    } catch {
      // Vanished or inaccessible: discovery reports it.
    }
  }
  return [...disks.values()];
}

/** Why roots can't be read: the permissions of the directories that can't be entered. */
export function gatherAccess(
  roots: readonly TaskRoot[],
  paths: readonly string[],
  host: Host,
): ClosedDirectory[] {
  const closed = new Set<string>();
  for (const root of roots) if (!root.readable) closed.add(LAYOUTS[root.layout].entryDirectory(root));
  for (const path of paths) closed.add(path);
  const access = new Map<string, ClosedDirectory>();
  for (const path of closed) {
    const found = accessOf(path, host);
    if (found !== undefined) access.set(found.path, found);
  }
  return [...access.values()];
}

/** For the path, or for the nearest directory above it that can be examined; undefined if this user may list that. */
function accessOf(path: string, host: Host): ClosedDirectory | undefined {
  for (let at = path; ; at = parentOf(at)) {
    try {
      const stat = statFile(at);
      if (stat === undefined || mayUse(at, 'list')) return undefined;
      const owner = host.userName(stat.uid) ?? String(stat.uid);
      return {
        path: at,
        mode: modeText(stat.mode),
        owner,
        group: String(stat.gid === 0 ? 'root' : stat.gid),
      };
    } catch {
      if (at === '/') return undefined;
    }
  }
}

/** The upper four bits of a mode (inode(7)), in decimal. */
const TYPES: Readonly<Record<number, string>> = { 1: 'p', 2: 'c', 4: 'd', 6: 'b', 8: '-', 10: 'l', 12: 's' };

/** As `ls -l` writes it: `drwxr-x---`. Pure. */
export function modeText(mode: number): string {
  let text = TYPES[mode >> 12] ?? '?';
  for (let bit = 8; bit >= 0; bit--) text += mode & (1 << bit) ? 'rwx'[(8 - bit) % 3] : '-';
  return text;
}

/** Whether a path certainly does not exist, and is not merely hidden from us. */
export function isAbsent(path: string): boolean {
  return presenceOf(path) === 'absent';
}
