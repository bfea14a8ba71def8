import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { Accounts } from './accounts.js';
import type { FileIdentity } from './file-identity.js';
import { type HeldLock, parseLocks, writeLocksOn } from './locks.js';
import { type Mount, parseMounts } from './mounts.js';
import { parseBootTimeMs, parseProcessStat, parseProcessStatus, TICKS_PER_SECOND } from './process-stat.js';

/** PROC_PID_INIT_INO of the kernel: the inode of the initial pid namespace of a machine. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

/** The total time to look up names of users for display: a remote user database may not answer. */
const ACCOUNTS_MS = 1000;

export interface ProcessInfo {
  pid: number;
  /** The real uid. */
  uid: number;
  /** The letter of proc(5). See `isDead`. */
  state: string;
  /** Milliseconds since the epoch, from the boot time (whole seconds) and ticks of 10 ms. */
  startTimeMs: number;
  /** Since boot; with the pid, it identifies a process as long as the machine is up. */
  startTimeTicks: number;
  /** At most 15 bytes; may contain any bytes. */
  command: string;
  /** Its pid in each namespace it is in, ours first; empty if the kernel does not report it. */
  nsPid: number[];
}

/** A zombie is dead: it only waits to be reaped. */
export function isDead(process: Pick<ProcessInfo, 'state'>): boolean {
  return process.state === 'Z' || process.state === 'X' || process.state === 'x';
}

export interface HostOptions {
  /** A fake tree in tests; default `/proc`. */
  proc?: string;
  /** A fake file in tests, which is then the only source of users; default: as in `Accounts`. */
  passwd?: string;
  /** Default: the euid of this process. */
  euid?: number;
}

/**
 * A snapshot of this machine. Everything is read on demand, and at most once: make a new snapshot to read it again.
 * Nothing here throws; what cannot be determined is undefined.
 */
export class Host {
  readonly euid: number;
  readonly #proc: string;
  readonly #accounts: Accounts;
  #bootTimeMs: { value: number | undefined } | undefined;
  #locks: { value: readonly HeldLock[] | undefined } | undefined;
  #ownPidNamespace: { value: string | undefined } | undefined;
  #mounts: readonly Mount[] | undefined;
  #pids: ReadonlySet<string> | undefined;
  readonly #processes = new Map<number, ProcessInfo | undefined>();

  private constructor(options: Omit<HostOptions, 'passwd'>, accounts: Accounts) {
    this.#proc = options.proc ?? '/proc';
    this.#accounts = accounts;
    this.euid = options.euid ?? process.geteuid?.() ?? 0;
  }

  static local({ passwd, ...options }: HostOptions = {}): Host {
    return new Host(options, new Accounts({ passwd, patienceMs: ACCOUNTS_MS }));
  }

  /** Takes a snapshot of this machine on each call; a remote user database is asked about each user once. */
  static snapshots(): () => Host {
    let host: Host | undefined;
    return () => {
      host = host?.again() ?? Host.local();
      return host;
    };
  }

  /** A new snapshot of the same machine. */
  again(): Host {
    const host = new Host({ proc: this.#proc, euid: this.euid }, this.#accounts.again());
    // A process never changes its own pid namespace.
    host.#ownPidNamespace = this.#ownPidNamespace;
    return host;
  }

  /** When the machine was started, milliseconds since the epoch; moves when the clock is set. */
  get bootTimeMs(): number | undefined {
    this.#bootTimeMs ??= { value: parseBootTimeMs(this.#read('stat') ?? '') };
    return this.#bootTimeMs.value;
  }

  /** Reads /proc/locks now, if this snapshot has not yet: what is read afterwards is newer than the locks. */
  lookAtLocks(): void {
    this.#heldLocks();
  }

  /**
   * Does any process hold a write lock (flock, fcntl, open file description) on the file? Undefined if that cannot
   * be known: /proc/locks cannot be read, or it lists none and we are not in the initial pid namespace, because the
   * kernel then leaves out locks whose takers are in other namespaces. A lock taken on another machine (NFS) is not
   * listed.
   */
  isLocked(file: FileIdentity): boolean | undefined {
    const locks = this.#heldLocks();
    if (locks === undefined) return undefined;
    if (writeLocksOn(file, locks, () => this.mounts()).length > 0) return true;
    return this.pidNamespace() === INITIAL_PID_NAMESPACE ? false : undefined;
  }

  /**
   * The pids, in our namespace, of the processes that took the write locks on the file, without duplicates. A taker may
   * have ended while a child of it still holds the lock; takers that have no pid here are left out.
   */
  lockHolders(file: FileIdentity): number[] {
    const held = writeLocksOn(file, this.#heldLocks() ?? [], () => this.mounts());
    return [...new Set(held.map((lock) => lock.pid).filter((pid) => pid > 0))];
  }

  /**
   * The process with this pid in our namespace; undefined if there is none, or if /proc hides it (see
   * `presence`). A zombie is found and has state `Z`.
   */
  process(pid: number): ProcessInfo | undefined {
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    if (!this.#processes.has(pid)) this.#processes.set(pid, this.#readProcess(pid));
    return this.#processes.get(pid);
  }

  /** Is there such a process, as far as /proc shows them? Cheaper than `process` for many that are gone. */
  isListed(pid: number): boolean {
    this.#pids ??= this.#list();
    return this.#pids.has(String(pid));
  }

  /**
   * Is there such a process? `hidden`: there is one, but /proc does not show it to us (mounted with `hidepid`), so
   * nothing more can be known about it.
   */
  presence(pid: number): 'here' | 'hidden' | 'gone' {
    if (this.process(pid) !== undefined) return 'here';
    if (!Number.isInteger(pid) || pid <= 0 || this.#proc !== '/proc') return 'gone';
    try {
      process.kill(pid, 0);
      return 'hidden';
    } catch (error) {
      return errnoOf(error) === 'EPERM' ? 'hidden' : 'gone';
    }
  }

  /** `pid:[…]` of a process, by default our own; undefined if it is gone or we may not know. */
  pidNamespace(pid: number | 'self' = 'self'): string | undefined {
    if (pid === 'self' && this.#ownPidNamespace !== undefined) return this.#ownPidNamespace.value;
    const value = this.#readLink(`${pid}/ns/pid`);
    if (pid === 'self') this.#ownPidNamespace = { value };
    return value;
  }

  /** The name of a user; undefined if it is not known. */
  userName(uid: number): string | undefined {
    return this.#accounts.find(uid)?.name;
  }

  /** Is there such a user? True if /etc/passwd cannot be read: then nothing disproves it. */
  knowsUser(name: string): boolean {
    return this.#accounts.find(name) !== undefined || this.#accounts.ofFile().length === 0;
  }

  /** The home directory of a user; undefined if it is not known. */
  userHome(uid: number): string | undefined {
    return this.#accounts.find(uid)?.home || undefined;
  }

  /** The home directories in /etc/passwd. */
  homes(): string[] {
    return this.#accounts.ofFile().map(({ home }) => home);
  }

  /** The mounts, in the order of mounting. */
  mounts(): readonly Mount[] {
    this.#mounts ??= parseMounts(this.#read('self/mountinfo') ?? '');
    return this.#mounts;
  }

  /** The id of this boot of the machine. */
  bootId(): string | undefined {
    return this.#read('sys/kernel/random/boot_id')?.trim() || undefined;
  }

  #readProcess(pid: number): ProcessInfo | undefined {
    const text = this.#read(`${pid}/stat`);
    const stat = text === undefined ? undefined : parseProcessStat(text);
    const status = parseProcessStatus(this.#read(`${pid}/status`) ?? '');
    const bootTimeMs = this.bootTimeMs;
    if (stat === undefined || status === undefined || bootTimeMs === undefined) return undefined;
    return {
      pid,
      uid: status.uid,
      state: stat.state,
      startTimeMs: bootTimeMs + (stat.startTimeTicks * 1000) / TICKS_PER_SECOND,
      startTimeTicks: stat.startTimeTicks,
      command: stat.command,
      nsPid: status.nsPid,
    };
  }

  #heldLocks(): readonly HeldLock[] | undefined {
    if (this.#locks === undefined) {
      const text = this.#read('locks');
      this.#locks = { value: text === undefined ? undefined : parseLocks(text) };
    }
    return this.#locks.value;
  }

  #list(): ReadonlySet<string> {
    try {
      return new Set(readdirSync(this.#proc));
    } catch {
      return new Set();
    }
  }

  #readLink(name: string): string | undefined {
    try {
      return readlinkSync(`${this.#proc}/${name}`);
    } catch {
      return undefined;
    }
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(`${this.#proc}/${name}`, 'utf8');
    } catch {
      return undefined;
    }
  }
}
