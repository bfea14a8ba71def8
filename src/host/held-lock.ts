import { readdirSync, readFileSync, statSync } from 'node:fs';
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
      return /^lock:.*\bWRITE\b/m.test(readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8'));
    } catch {
      return false;
    }
  });
}
