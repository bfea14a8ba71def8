import type { ProcessDetails } from '../../src/host/process-details.js';
import type { ProcessReading, Reading } from '../../src/host/process-readings.js';
import { membersOf } from '../../src/top/members.js';
import type { SampledTask } from '../../src/top/model.js';
import type { Moment, Sampler } from '../../src/top/sampler.js';

interface Simulated {
  pid: number;
  parent: number;
  session: number;
  state: string;
  startTimeTicks: number;
  own: number;
  child: number;
  written: number;
}

export const INIT = 1;
export const RUNNER = 5;
export const COORDINATOR = 10;

/** Processes as the kernel keeps them: what a process has used passes to the one that waits for it. */
export class Machine {
  readonly processes = new Map<number, Simulated>();
  /** All that processes of the task have used, in ticks. */
  used = 0;
  now = 1_000_000;
  #nextPid = 100;

  constructor() {
    this.#put(INIT, 0, INIT);
    this.#put(RUNNER, INIT, RUNNER);
    this.#put(COORDINATOR, RUNNER, COORDINATOR);
  }

  #put(pid: number, parent: number, session: number): Simulated {
    const startTimeTicks = this.now / 10;
    const made = { pid, parent, session, state: 'S', startTimeTicks, own: 0, child: 0, written: 0 };
    this.processes.set(pid, made);
    return made;
  }

  fork(parent: number): number {
    this.now += 10;
    const pid = this.#nextPid++;
    const { session } = this.processes.get(parent) as Simulated;
    this.#put(pid, parent, session);
    return pid;
  }

  setsid(pid: number): void {
    const process = this.processes.get(pid);
    if (process !== undefined) process.session = pid;
  }

  burn(pid: number, ticks: number): void {
    const process = this.processes.get(pid);
    if (process === undefined || process.state === 'Z') return;
    process.own += ticks;
    process.written += ticks;
    this.used += ticks;
  }

  /** It is a zombie; its children get the next subreaper: the coordinator, or init if that is gone. */
  exit(pid: number): void {
    const process = this.processes.get(pid);
    if (process === undefined) return;
    process.state = 'Z';
    const reaper = this.processes.get(COORDINATOR)?.state === 'S' ? COORDINATOR : INIT;
    for (const child of this.processes.values()) if (child.parent === pid) child.parent = reaper;
  }

  /** Its parent waits for it. `forgotten`: the parent ignores SIGCHLD, and does not get its times. */
  reap(pid: number, forgotten = false): void {
    const process = this.processes.get(pid);
    if (process?.state !== 'Z') return;
    const parent = this.processes.get(process.parent);
    if (parent !== undefined && !forgotten) {
      parent.child += process.own + process.child;
      parent.written += process.written;
    }
    this.processes.delete(pid);
  }

  /** `meanwhile`: happens after so many processes have been read. */
  read(before?: Reading, meanwhile?: { after: number; happens: () => void }): Reading {
    const known = (pid: number) => before?.processes.get(pid)?.startTimeTicks ?? Number.MAX_VALUE;
    const pids = [...this.processes.keys()].sort((a, b) => known(a) - known(b) || a - b);
    const processes = new Map<number, ProcessReading>();
    const atMs = this.now;
    for (const [i, pid] of pids.entries()) {
      if (i === meanwhile?.after) meanwhile.happens();
      const process = this.processes.get(pid);
      if (process === undefined) continue;
      const { parent, session, state, startTimeTicks, own, child } = process;
      const times = { ownTicks: own, childTicks: child, threads: 1, startTimeTicks, atMs };
      processes.set(pid, { pid, command: 'x', parent, session, state, ...times });
    }
    return { timeMs: 0, atMs, processes };
  }

  /** All that a sampler wants to know now. */
  moment(
    sampler: Sampler,
    tasks: readonly SampledTask[],
    reading = this.read(sampler.last?.reading),
  ): Moment {
    const members = membersOf(reading, tasks, sampler.last?.members.values() ?? []);
    const details = new Map<number, ProcessDetails>();
    for (const { pid, written } of this.processes.values()) {
      if (!reading.processes.has(pid)) continue;
      details.set(pid, { rssBytes: 1000, fds: 3, readBytes: 0, writtenBytes: written });
    }
    return { reading, tasks, members, details, cgroups: new Map(), disks: new Map() };
  }

  /** The task whose runner and coordinator there are from the start. */
  task(): SampledTask {
    return taskOf([{ process: 'main', run: 0, coordinator: this.identity(COORDINATOR) }], {
      runner: this.identity(RUNNER),
    });
  }

  identity(pid: number): { pid: number; startTimeTicks: number } {
    const { startTimeTicks } = this.processes.get(pid) as Simulated;
    return { pid, startTimeTicks };
  }
}

export function taskOf(runs: SampledTask['runs'], more: Partial<SampledTask> = {}): SampledTask {
  const key = '/root/checkpoints/t';
  const task = { key, task_id: 't', root: '/root', asked: {}, isForeign: false, isHidden: false };
  return { ...task, runs, ...more };
}
