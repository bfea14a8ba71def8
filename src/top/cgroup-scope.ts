/** Whether a cgroup is a task's own. Pure. */

/** Why the numbers of a cgroup are a task's. */
export type ScopeKind =
  /** It is the one of the container that the task runs in. */
  | 'container'
  /** It is the one of a service of systemd that does nothing but run the task. */
  | 'service'
  /** All processes in it are the task's now. Who was in it before is not known, so its totals say nothing. */
  | 'members';

export interface CgroupScope {
  readonly kind: ScopeKind;
  /** The names that lead to it from the root of its hierarchy. */
  readonly names: readonly string[];
}

/** As Docker, Podman, CRI-O and containerd name the cgroups of containers. */
const CONTAINER = /^(?:(?:docker|libpod|crio|cri-containerd)-)?[0-9a-f]{64}(?:\.scope)?$/;
const SERVICE = /\.service$/;
/** A whole session, and the service manager of a user: everything that the user does is in it. */
const OF_USER = /^(?:session-.*\.scope|user@.*\.service)$/;

export interface ScopeQuestion {
  /** The names of the cgroup of a process of the task. */
  readonly names: readonly string[];
  /** Those of our own cgroup in the same hierarchy. */
  readonly own: readonly string[];
  /** Of the container, if Mesos runs the task. */
  readonly containerId?: string;
}

/**
 * The cgroup whose numbers may be the task's: that of its container, if we are not in that container ourselves, else the
 * one that its processes are in. Undefined if that is the root of the hierarchy.
 */
export function scopeOf({ names, own, containerId }: ScopeQuestion): CgroupScope | undefined {
  const mesos = containerId === undefined ? -1 : names.indexOf(containerId);
  const end = mesos === -1 ? names.findLastIndex((name) => CONTAINER.test(name)) : mesos;
  const container = names.slice(0, end + 1);
  if (end >= 0 && !container.every((name, i) => own[i] === name))
    return { kind: 'container', names: container };
  const last = names.at(-1);
  if (last === undefined || OF_USER.test(last)) return undefined;
  return { kind: SERVICE.test(last) ? 'service' : 'members', names };
}

/** A process, as the table has it. */
export interface Kin {
  readonly parent: number;
  readonly session: number;
}

/** More ancestors than this are not asked about. */
const MOST_ANCESTORS = 64;

/**
 * Are all processes of the cgroup the task's, and all processes of the task in the cgroup? One that is not known to be
 * the task's may have been started since: it is, if it descends from one that is, or is in a session of one. One that
 * has vanished meanwhile (`kinOf` gives undefined) does not count.
 */
export function isOnlyOf(
  members: readonly number[],
  pids: readonly number[],
  kinOf: (pid: number) => Kin | undefined,
): boolean {
  if (members.length === 0 || pids.length === 0) return false;
  const known = new Set(pids);
  const inside = new Set(members);
  if (!members.every((pid) => known.has(pid) || isKin(pid, known, kinOf))) return false;
  return pids.every((pid) => inside.has(pid) || kinOf(pid) === undefined);
}

function isKin(pid: number, known: ReadonlySet<number>, kinOf: (pid: number) => Kin | undefined): boolean {
  let at = pid;
  for (let i = 0; i < MOST_ANCESTORS; i++) {
    const kin = kinOf(at);
    if (kin === undefined) return at === pid;
    if (known.has(kin.parent) || known.has(kin.session)) return true;
    if (kin.parent <= 1 || kin.parent === at) return false;
    at = kin.parent;
  }
  return false;
}
