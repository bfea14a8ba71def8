import type { CgroupMembership } from '../host/cgroup.js';
import type { CgroupDirectory, CgroupFiles, CgroupMembers, CgroupNumbers } from '../host/cgroup-files.js';
import { type CgroupScope, isOnlyOf, type Kin, type ScopeKind, scopeOf } from './cgroup-scope.js';

/** A task whose cgroup is looked for. */
export interface CgroupTask {
  /** Identifies the task among all. */
  readonly key: string;
  /** Of the container, if Mesos runs it. */
  readonly container_id?: string;
  /** That container has other active tasks, too. */
  readonly isShared?: boolean;
  /** The process of its runner, in our pid namespace, if it is known. */
  readonly runner?: { readonly pid: number };
}

/** What the cgroup of a task said at one moment. */
export interface TaskCgroup extends CgroupNumbers {
  /** The directory, as on this machine; of version 1, one of several. */
  readonly path: string;
  readonly kind: ScopeKind;
  /** Differs if the cgroup was removed and made again. */
  readonly identity: string;
  /** The processes in it and below it, in our pid namespace. */
  readonly pids: readonly number[];
}

/** The table of processes at one moment, in our pid namespace. */
export interface KinTable {
  kinOf(pid: number): Kin | undefined;
  pids(): Iterable<number>;
  /** At most 15 bytes (proc(5)). */
  commandOf(pid: number): string | undefined;
}

/** The hierarchies that have numbers: others, such as that of freezer, are not asked about. */
const COUNTING = ['unified', 'memory', 'cpu', 'cpuacct', 'pids'];
/** A container with an agent in it is not the one of a task. */
const AGENT = /^(?:lt-)?mesos-(?:agent|slave)/;
/** More ancestors than this are not asked about. */
const MOST_ANCESTORS = 64;

/** A task's cgroup in one hierarchy. */
interface Part extends CgroupDirectory {
  readonly scope: CgroupScope;
  readonly members: CgroupMembers;
}

/** Finds the cgroups of tasks, and reads them. Make one for each reading: it remembers what it has seen. */
export class CgroupMeter {
  readonly #files: CgroupFiles;
  readonly #table: KinTable;
  readonly #tasks: readonly CgroupTask[];
  readonly #memberships = new Map<number | 'self', CgroupMembership[]>();
  /** By directory: many tasks may be in one that belongs to none of them. */
  readonly #members = new Map<string, CgroupMembers | undefined>();
  #byContainer: ReadonlyMap<string, number> | undefined;
  #claims: ReadonlyMap<string, number> | undefined;

  /** `tasks`: all that are active, of which two may be in one container. */
  constructor(files: CgroupFiles, table: KinTable, tasks: readonly CgroupTask[]) {
    this.#files = files;
    this.#table = table;
    this.#tasks = tasks;
  }

  /**
   * The cgroup of a task, if it has one of its own. `pids`: those of its processes that are known, in our pid namespace;
   * none if they are in another one.
   */
  read(task: CgroupTask, pids: readonly number[]): TaskCgroup | undefined {
    const anchor = this.#anchorOf(task, pids);
    if (anchor === undefined) return undefined;
    const known = task.runner === undefined ? pids : [...pids, task.runner.pid];
    const parts = this.#memberOf(anchor)
      .map((membership) => this.#partOf(membership, task, anchor, known))
      .filter((part) => part !== undefined);
    const [first] = parts;
    if (first === undefined) return undefined;
    const isSame = parts.every(({ scope }) => scope.kind === first.scope.kind);
    return {
      ...this.#files.numbers(parts),
      path: first.path,
      kind: isSame ? first.scope.kind : 'members',
      identity: parts.map(({ members }) => members.identity).join(' '),
      pids: first.members.pids,
    };
  }

  #partOf(
    membership: CgroupMembership,
    task: CgroupTask,
    anchor: number,
    known: readonly number[],
  ): Part | undefined {
    const scope = this.#scopeOf(membership, task.container_id);
    if (scope === undefined) return undefined;
    const directory = this.#files.directory(membership, scope.names);
    const members = directory && this.#membersOf(directory);
    // The process may have moved, and the mount may be of another place.
    if (directory === undefined || members === undefined || !members.pids.includes(anchor)) return undefined;
    const isOwn =
      scope.kind === 'container'
        ? !task.isShared && (scope.names.at(-1) === task.container_id || this.#isAlone(task, scope))
        : isOnlyOf(members.pids, known, (pid) => this.#table.kinOf(pid));
    return isOwn ? { ...directory, scope, members } : undefined;
  }

  /** Is no other task in its container, and no agent that may run others? */
  #isAlone({ runner }: CgroupTask, scope: CgroupScope): boolean {
    if (runner === undefined) return false;
    this.#claims ??= this.#countClaims();
    if (this.#claims.get(nameOf(scope)) !== 1) return false;
    let at = runner.pid;
    for (let i = 0; i < MOST_ANCESTORS && at > 1; i++) {
      if (AGENT.test(this.#table.commandOf(at) ?? '')) return false;
      const parent = this.#table.kinOf(at)?.parent;
      if (parent === undefined || !this.#isIn(parent, scope)) return true;
      at = parent;
    }
    return at <= 1;
  }

  #isIn(pid: number, scope: CgroupScope): boolean {
    return this.#memberOf(pid).some(({ path }) => scope.names.every((name, i) => namesOf(path)[i] === name));
  }

  /** How many tasks are in each container. */
  #countClaims(): ReadonlyMap<string, number> {
    const claims = new Map<string, number>();
    for (const { runner, container_id } of this.#tasks) {
      if (runner === undefined) continue;
      const names = new Set<string>();
      for (const membership of this.#memberOf(runner.pid)) {
        const scope = this.#scopeOf(membership, container_id);
        if (scope?.kind === 'container') names.add(nameOf(scope));
      }
      for (const name of names) claims.set(name, (claims.get(name) ?? 0) + 1);
    }
    return claims;
  }

  #scopeOf(
    { controllers, path }: CgroupMembership,
    containerId: string | undefined,
  ): CgroupScope | undefined {
    const own = this.#memberOf('self').find((other) => other.controllers.join() === controllers.join());
    return scopeOf({ names: namesOf(path), own: namesOf(own?.path ?? ''), containerId });
  }

  /** A process of the task. */
  #anchorOf({ runner, container_id }: CgroupTask, pids: readonly number[]): number | undefined {
    const anchor = runner?.pid ?? pids[0];
    if (anchor !== undefined || container_id === undefined) return anchor;
    this.#byContainer ??= this.#mapContainers();
    return this.#byContainer.get(container_id);
  }

  /** A process of each container of a task that has no other: those of another pid namespace are not recorded by pids of ours. */
  #mapContainers(): ReadonlyMap<string, number> {
    const wanted = new Set(this.#tasks.map(({ container_id }) => container_id));
    const found = new Map<string, number>();
    for (const pid of this.#table.pids()) {
      for (const { path } of this.#memberOf(pid)) {
        for (const name of namesOf(path)) if (wanted.has(name) && !found.has(name)) found.set(name, pid);
      }
    }
    return found;
  }

  #membersOf(directory: CgroupDirectory): CgroupMembers | undefined {
    if (!this.#members.has(directory.path)) this.#members.set(directory.path, this.#files.members(directory));
    return this.#members.get(directory.path);
  }

  #memberOf(pid: number | 'self'): CgroupMembership[] {
    let memberships = this.#memberships.get(pid);
    if (memberships === undefined) {
      memberships = this.#files
        .of(pid)
        .filter(({ controllers }) => controllers.some((name) => COUNTING.includes(name)));
      this.#memberships.set(pid, memberships);
    }
    return memberships;
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function nameOf({ names }: CgroupScope): string {
  return names.join('/');
}
