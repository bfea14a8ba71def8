import { readdirSync, readFileSync, statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { isShortage } from '../errors/shortage.js';
import type { FileIdentity } from './file-identity.js';
import { deviceOf, type HeldLock, parseLocks, writeLocksOn } from './locks.js';
import { parseMounts } from './mounts.js';

/** The access mode in the flags of open(2). */
const ACCESS_MODE = 0o3;

/**
 * Does the process have a descriptor of the file that holds a write lock (fdinfo of proc(5))? The answer is certain,
 * even if another process took the lock on the same open file. `isWritable`: one of those descriptors is open for
 * writing. Undefined if we may not know.
 */
export function holdOf(pid: number, file: FileIdentity): { isWritable: boolean } | 'none' | undefined {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    if (isShortage(error)) throw error;
    return errnoOf(error) === 'ENOENT' ? 'none' : undefined;
  }
  let hold: { isWritable: boolean } | 'none' = 'none';
  for (const name of names) {
    const isWritable = locks(pid, name, file);
    if (isWritable !== undefined) hold = { isWritable: isWritable || (hold !== 'none' && hold.isWritable) };
  }
  return hold;
}

/** Is the descriptor open for writing? Undefined if it does not hold a write lock on the file. */
function locks(pid: number, fd: string, file: FileIdentity): boolean | undefined {
  let info: string;
  try {
    info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
  } catch {
    return undefined;
  }
  const held = parseLocks(info.replaceAll(/^lock:\s+/gm, ''));
  const on = writeLocksOn(file, held, mounts);
  if (on.length === 0 || !(on.some((lock) => isExactly(lock, file)) || isOpen(pid, fd, file)))
    return undefined;
  const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '0', 8);
  return (flags & ACCESS_MODE) !== 0;
}

function mounts() {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return [];
  }
}

function isExactly({ major, minor }: HeldLock, { dev }: FileIdentity): boolean {
  const device = deviceOf(dev);
  return device.major === major && device.minor === minor;
}

/** Called only if locks are listed under another device: `stat` hangs on a file system that does not answer. */
function isOpen(pid: number, fd: string, file: FileIdentity): boolean {
  try {
    const { dev, ino } = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true });
    return dev === BigInt(file.dev) && ino === BigInt(file.ino);
  } catch {
    return false;
  }
}
