import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import type { FileIdentity } from './locks.js';

/**
 * Has this process the file open by a descriptor that holds a write lock (fdinfo of proc(5))? That is certain, also
 * when the lock was taken by another process on the same open file. Undefined if we may not look.
 */
export function holdsLock(pid: number, file: FileIdentity): boolean | undefined {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? false : undefined;
  }
  return names.some((name) => {
    try {
      const { dev, ino } = statSync(`/proc/${pid}/fd/${name}`, { bigint: true });
      if (dev !== BigInt(file.dev) || ino !== BigInt(file.ino)) return false;
      return locks(pid, name);
    } catch {
      return false;
    }
  });
}

/** Does this process hold a write lock on a file whose path, as it is now, begins so? False if we may not look. */
export function locksFileBelow(pid: number, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(
      (name) => readlinkSync(`/proc/${pid}/fd/${name}`).startsWith(path) && locks(pid, name),
    );
  } catch {
    return false;
  }
}

function locks(pid: number, fd: string): boolean {
  return /^lock:.*\bWRITE\b/m.test(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'));
}
