import { isOnMount, type Mount } from './mounts.js';

/** The cgroup of a process in one hierarchy (cgroups(7)). */
export interface CgroupMembership {
  /** Those of version 1, names such as `name=systemd` among them; of version 2, `unified` alone. */
  readonly controllers: readonly string[];
  /** From the root of our cgroup namespace. */
  readonly path: string;
}

/** A hierarchy of cgroups, where it is mounted. */
export interface CgroupMount {
  readonly path: string;
  /** The cgroup that is mounted there. */
  readonly root: string;
  /** With `unified`, if it is one of version 2. */
  readonly controllers: readonly string[];
}

/** What the kernel says of a cgroup that was removed while a zombie is still in it. */
const REMOVED = ' (deleted)';

/**
 * Parses /proc/PID/cgroup: lines of `ID:CONTROLLERS:PATH`, and `0::PATH` for version 2. Other lines are left out, and
 * so are cgroups that were removed.
 */
export function parseCgroups(text: string): CgroupMembership[] {
  const found: CgroupMembership[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, id, controllers = '', path = ''] = match;
    if (path.endsWith(REMOVED) || (controllers === '' && id !== '0')) continue;
    found.push({ controllers: controllers === '' ? ['unified'] : controllers.split(','), path });
  }
  return found;
}

/** The hierarchies that can be reached; a mount that a later one covers cannot. Pure. */
export function cgroupMounts(mounts: readonly Mount[]): CgroupMount[] {
  const found: CgroupMount[] = [];
  for (const [i, { type, path, root, options }] of mounts.entries()) {
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    if (mounts.slice(i + 1).some((later) => isOnMount(path, later.path))) continue;
    found.push({ path, root, controllers: type === 'cgroup2' ? ['unified'] : options });
  }
  return found;
}

/**
 * Where a cgroup is: the mount of its hierarchy, and the names that lead from there to it. Undefined if no mount shows
 * it. Pure.
 */
export function placeOf(
  { controllers, path }: CgroupMembership,
  mounts: readonly CgroupMount[],
): { mount: CgroupMount; names: readonly string[] } | undefined {
  const names = path.split('/').filter((name) => name !== '');
  // A path begins so outside of our cgroup namespace.
  if (names.includes('..')) return undefined;
  for (const mount of mounts) {
    if (!controllers.every((name) => mount.controllers.includes(name))) continue;
    if (!isOnMount(path, mount.root)) continue;
    const depth = mount.root.split('/').filter((name) => name !== '').length;
    return { mount, names: names.slice(depth) };
  }
  return undefined;
}

/** Parses a file of lines `KEY NUMBER`, such as cpu.stat; other lines are left out. */
export function parseFlatKeyed(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\S+) (\d+)$/.exec(line);
    if (match !== null) values.set(match[1] as string, Number(match[2]));
  }
  return values;
}

/** Parses a file of one number; undefined if it is another text, such as `max`. */
export function parseNumber(text: string): number | undefined {
  const line = text.trim();
  return /^-?\d+$/.test(line) ? Number(line) : undefined;
}

/** Version 1 has no word for a limit that is not set: the number is then the highest one in whole pages. */
const NO_LIMIT = 2 ** 62;

/** Parses memory.max or memory.limit_in_bytes; undefined if there is no limit. */
export function parseLimit(text: string): number | undefined {
  const limit = parseNumber(text);
  return limit === undefined || limit < 0 || limit >= NO_LIMIT ? undefined : limit;
}

/** Parses cpu.max, `QUOTA PERIOD`; in cores, undefined if there is no limit. */
export function parseCpuMax(text: string): number | undefined {
  const [quota, period] = text.trim().split(' ');
  return coresOf(parseNumber(quota ?? ''), parseNumber(period ?? ''));
}

/** Cores that a quota allows in each period, both in microseconds; undefined without a limit, which version 1 writes as -1. */
export function coresOf(quota: number | undefined, period: number | undefined): number | undefined {
  return quota !== undefined && quota > 0 && period !== undefined && period > 0 ? quota / period : undefined;
}

/**
 * Parses a file of pressure: `some avg10` is for which part of the last ten seconds at least one process waited, in per
 * cent. Undefined if the kernel does not count it.
 */
export function parsePressure(text: string): number | undefined {
  const average = /^some avg10=(\d+(?:\.\d+)?) /m.exec(text)?.[1];
  return average === undefined ? undefined : Number(average);
}

/** Parses cgroup.procs. A process that has no pid in our namespace is 0, and left out. */
export function parseProcs(text: string): number[] {
  return text
    .split('\n')
    .filter((line) => /^\d+$/.test(line))
    .map(Number)
    .filter((pid) => pid > 0);
}
