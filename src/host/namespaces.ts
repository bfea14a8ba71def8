import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { isShortage } from '../errors/shortage.js';

/** The kinds of namespaces(7) that a process can be in, by their names below /proc/PID/ns. */
const KINDS = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] as const;

/**
 * What of a process differs from ours: kinds of namespaces, and `root` for its root directory. Undefined if we may not
 * know. Throws the system error if the machine is too short of something to know.
 */
export function foreignTo(pid: number): string[] | undefined {
  try {
    const kinds = KINDS.filter((kind) => namespaceOf(pid, kind) !== namespaceOf('self', kind));
    const its = statSync(`/proc/${pid}/root/`);
    const ours = statSync('/');
    return its.dev === ours.dev && its.ino === ours.ino ? kinds : [...kinds, 'root'];
  } catch (error) {
    if (isShortage(error)) throw error;
    return undefined;
  }
}

/** Undefined for a kind that this kernel does not have. */
function namespaceOf(pid: number | 'self', kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The uid that represents all users that our user namespace does not map (user_namespaces(7)); undefined if it maps
 * all, as the initial one does.
 */
export function overflowUid(): number | undefined {
  try {
    const map = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/).map(Number);
    if (map.length === 3 && map[0] === 0 && map[1] === 0 && map[2] === 2 ** 32 - 1) return undefined;
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));
  } catch (error) {
    if (isShortage(error)) throw error;
    return undefined;
  }
}
