import { readFileSync } from 'node:fs';
import { isShortage } from '../errors/shortage.js';

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
