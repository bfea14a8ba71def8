import type { FileIdentity } from '../../src/host/file-identity.js';
import type { ProcessRow } from '../../src/host/process-table.js';
import type { LockHold, Processes } from '../../src/lifecycle/processes.js';

/** When the made-up machine was started, milliseconds since the epoch. */
export const BOOT_MS = 1_700_000_000_000;

export interface FakeProcess extends Partial<Omit<ProcessRow, 'pid' | 'startTimeTicks'>> {
  /** Seconds after the boot. */
  readonly started?: number;
  /** Default: `uid`. */
  readonly realUid?: number;
  readonly isForeign?: boolean;
  readonly innerPid?: number;
  readonly home?: string;
  readonly outputs?: readonly string[];
  /** Files whose lock it holds, and how. */
  readonly holds?: readonly (readonly [FileIdentity, LockHold])[];
  /** Does not end of SIGKILL. */
  readonly isDeathless?: boolean;
  /** For how many milliseconds its locks stay after its end. */
  readonly lingers?: number;
  /** What it starts when it is killed. */
  readonly avenger?: readonly [number, FakeProcess];
}

/** A machine that is made up: a table of processes, who can be signalled, and a clock that only `pause` moves. */
export class FakeProcesses implements Processes {
  readonly sent: [number, NodeJS.Signals][] = [];
  /** How often the table was looked at. */
  looks = 0;
  /** Is told of each signal before it is sent. */
  onSignal: (pid: number, signal: NodeJS.Signals) => void = () => {};
  /** Is told of each look at one process. */
  onLook: (pid: number) => void = () => {};
  /** Can locks be seen? */
  seesLocks = true;
  readonly #processes = new Map<number, FakeProcess>();
  readonly #lingering: { file: FileIdentity; until: number }[] = [];
  #now = 0;

  constructor(processes: Readonly<Record<number, FakeProcess>> = {}) {
    for (const [pid, process] of Object.entries(processes)) this.add(Number(pid), process);
  }

  add(pid: number, process: FakeProcess): void {
    this.#processes.set(pid, process);
  }

  remove(pid: number): void {
    this.#processes.delete(pid);
  }

  has(pid: number): boolean {
    return this.#processes.has(pid);
  }

  /** Somebody holds the lock whom nobody can see. */
  lock(file: FileIdentity, until = Number.POSITIVE_INFINITY): void {
    this.#lingering.push({ file, until });
  }

  bootTimeMs(): number {
    return BOOT_MS;
  }

  table(): ProcessRow[] {
    this.looks += 1;
    return [...this.#processes].map(
      ([pid, { parent = 1, session = pid, state = 'S', uid = 1000, started = 100 }]) => ({
        pid,
        parent,
        session,
        state,
        startTimeTicks: started * 100,
        uid,
      }),
    );
  }

  look(pid: number) {
    this.onLook(pid);
    const found = this.#processes.get(pid);
    if (found === undefined) return undefined;
    const { started = 100, uid = 1000, realUid = uid, state, innerPid } = found;
    const { isForeign = innerPid !== undefined } = found;
    return {
      startTimeTicks: started * 100,
      startTimeMs: BOOT_MS + started * 1000,
      realUid,
      isDead: state === 'Z',
      halt: state === 'T' ? ('stopped' as const) : state === 't' ? ('traced' as const) : undefined,
      isForeign,
      innerPid,
    };
  }

  holdsLock(pid: number, file: FileIdentity) {
    const hold = this.#processes.get(pid)?.holds?.find(([held]) => isSame(held, file));
    return hold?.[1] ?? ('none' as const);
  }

  locks() {
    const held = [...this.#processes.values()].flatMap(({ holds = [] }) => holds.map(([file]) => file));
    const now = this.#now;
    const lingering = this.#lingering.filter(({ until }) => until > now).map(({ file }) => file);
    const all = [...held, ...lingering];
    return {
      isLocked: (file: FileIdentity) => (this.seesLocks ? all.some((each) => isSame(each, file)) : undefined),
      holders: (file: FileIdentity) =>
        [...this.#processes]
          .filter(([, { holds = [] }]) => holds.some(([each]) => isSame(each, file)))
          .map(([pid]) => pid),
    };
  }

  isExiting(): boolean {
    return false;
  }

  home(pid: number): string | undefined {
    return this.#processes.get(pid)?.home;
  }

  rootDirectory(): string | undefined {
    return '/';
  }

  outputs(pid: number): readonly string[] {
    return this.#processes.get(pid)?.outputs ?? [];
  }

  ourselves(): ReadonlySet<number> {
    return new Set([1, 2]);
  }

  signal(pid: number, signal: NodeJS.Signals) {
    this.onSignal(pid, signal);
    const found = this.#processes.get(pid);
    if (found === undefined) return 'gone' as const;
    this.sent.push([pid, signal]);
    if (signal !== 'SIGKILL' || found.isDeathless) return 'sent' as const;
    this.#processes.delete(pid);
    for (const [file] of found.holds ?? []) {
      this.#lingering.push({ file, until: this.#now + (found.lingers ?? 0) });
    }
    if (found.avenger !== undefined) this.add(...found.avenger);
    return 'sent' as const;
  }

  clock(): number {
    return this.#now;
  }

  pause(ms: number): void {
    this.#now += ms;
  }
}

function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return String(a.dev) === String(b.dev) && String(a.ino) === String(b.ino);
}
