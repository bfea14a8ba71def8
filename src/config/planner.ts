/** What planning needs to know about a process. */
export interface PlannedProcess {
  readonly name: string;
  readonly daemon: boolean;
  readonly ephemeral: boolean;
  readonly final: boolean;
  /** 0: no limit. */
  readonly max_failures: number;
  /** Seconds from the end of a run to the start of the next. */
  readonly min_duration: number;
}

/** The processes of one plan, in the order of the task, each with those that must finish before it starts. */
export type Dependencies = ReadonlyMap<string, ReadonlySet<string>>;

export type PlanFault =
  | { readonly kind: 'mixed'; readonly order: readonly string[]; readonly unknown: readonly string[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'daemon' | 'ephemeral'; readonly process: string; readonly on: string }
  | { readonly kind: 'cycle'; readonly cycle: readonly string[] };

export interface Plan {
  readonly dependencies: Dependencies;
  /** Why no task can run by this plan, in the order of the original's checks. */
  readonly faults: readonly PlanFault[];
}

/** Every run of a process counts, however it ended. */
export const MAX_RUNS = 100;

/**
 * The regular plan of a task, or the finalizing one: the processes of that half and their constraints. A constraint
 * without a known name in this half has no effect; of several processes with the same name, the last one counts.
 */
export function planOf(
  all: readonly PlannedProcess[],
  orders: readonly (readonly string[])[],
  final: boolean,
): Plan {
  const processes = new Map<string, PlannedProcess>();
  for (const process of all) if (process.final === final) processes.set(process.name, process);
  const dependencies = new Map([...processes.keys()].map((name) => [name, new Set<string>()]));
  const faults: PlanFault[] = [];
  for (const order of orders) {
    const unknown = order.filter((name) => !processes.has(name));
    if (order.length === 0) faults.push({ kind: 'empty' });
    else if (unknown.length > 0 && unknown.length < order.length)
      faults.push({ kind: 'mixed', order, unknown });
    if (unknown.length > 0) continue;
    for (const [i, name] of order.slice(1).entries()) {
      const on = order[i] as string;
      const [process, before] = [processes.get(name), processes.get(on)];
      if (before?.daemon) faults.push({ kind: 'daemon', process: name, on });
      else if (before?.ephemeral && !process?.ephemeral)
        faults.push({ kind: 'ephemeral', process: name, on });
      else dependencies.get(name)?.add(on);
    }
  }
  const cycle = faults.length === 0 ? findCycle(dependencies) : undefined;
  if (cycle !== undefined) faults.push({ kind: 'cycle', cycle });
  return { dependencies, faults };
}

/** Processes that wait for each other, `a` before `b` before `a` as `[a, b, a]`; undefined if none do. */
export function findCycle(dependencies: Dependencies): string[] | undefined {
  const left = unmet(dependencies);
  const after = dependents(dependencies);
  const free = [...left].filter(([, count]) => count === 0).map(([name]) => name);
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    left.delete(name);
    for (const next of after.get(name) ?? []) if (countDown(left, next)) free.push(next);
  }
  const [start] = left.keys();
  if (start === undefined) return undefined;
  const path: string[] = [];
  const places = new Map<string, number>();
  for (let name: string | undefined = start; name !== undefined; ) {
    const seen = places.get(name);
    if (seen !== undefined) return [name, ...path.slice(seen + 1).reverse(), name];
    places.set(name, path.length);
    path.push(name);
    name = firstOf(dependencies.get(name), left);
  }
  return path;
}

function firstOf(
  names: ReadonlySet<string> | undefined,
  left: ReadonlyMap<string, unknown>,
): string | undefined {
  for (const name of names ?? []) if (left.has(name)) return name;
  return undefined;
}

function unmet(dependencies: Dependencies): Map<string, number> {
  return new Map([...dependencies].map(([name, before]) => [name, before.size]));
}

function dependents(dependencies: Dependencies): Map<string, string[]> {
  const after = new Map<string, string[]>();
  for (const [name, before] of dependencies) {
    for (const each of before) {
      const list = after.get(each);
      if (list === undefined) after.set(each, [name]);
      else list.push(name);
    }
  }
  return after;
}

function countDown(left: Map<string, number>, name: string): boolean {
  const count = (left.get(name) ?? 0) - 1;
  left.set(name, count);
  return count === 0;
}

/** The state of a process in the plan. */
export type PlanState = 'blocked' | 'ready' | 'running' | 'finished' | 'failed';

interface ProcessProgress {
  readonly process: PlannedProcess;
  state: PlanState;
  runs: number;
  failures: number;
  /** Seconds since the epoch. */
  lastEnd: number | undefined;
}

/**
 * Carries out one plan: says what may run, and gets events about what ran. Pure: times are arguments, in seconds. A
 * name that is not in the plan, or an event that cannot happen in that state, is an error of the caller and throws.
 *
 * A *ready* process has everything before it finished; it is *runnable* once `min_duration` has passed since its
 * last run ended, *waiting* until then.
 */
export class Planner {
  readonly #progress = new Map<string, ProcessProgress>();
  readonly #unmet: Map<string, number>;
  readonly #dependents: Map<string, string[]>;
  readonly #ready = new Set<string>();
  readonly #running = new Set<string>();
  readonly #finished = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #capped = new Set<string>();
  readonly #maxRuns: number;

  /** Throws if the plan has faults. */
  constructor(all: readonly PlannedProcess[], plan: Plan, maxRuns: number = MAX_RUNS) {
    if (plan.faults.length > 0) throw new Error('a plan with faults cannot be carried out');
    for (const process of all) {
      if (!plan.dependencies.has(process.name)) continue;
      this.#progress.set(process.name, {
        process,
        state: 'blocked',
        runs: 0,
        failures: 0,
        lastEnd: undefined,
      });
    }
    this.#unmet = unmet(plan.dependencies);
    this.#dependents = dependents(plan.dependencies);
    this.#maxRuns = maxRuns;
    for (const [name, count] of this.#unmet) if (count === 0) this.#enter(name, 'ready');
  }

  /** Processes that may start now, in the order of the task. */
  runnable(now: number): string[] {
    return [...this.#ready].filter((name) => this.#wait(name, now) <= 0);
  }

  /** Ready processes whose last run ended too recently. */
  waiting(now: number): string[] {
    return [...this.#ready].filter((name) => this.#wait(name, now) > 0);
  }

  /** When the first of the waiting processes may run; undefined if none waits. */
  nextStart(now: number): number | undefined {
    const waits = this.waiting(now).map((name) => now + this.#wait(name, now));
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  get running(): ReadonlySet<string> {
    return this.#running;
  }

  get finished(): ReadonlySet<string> {
    return this.#finished;
  }

  get failed(): ReadonlySet<string> {
    return this.#failed;
  }

  /** Failed processes that would run again if they had not reached the maximum number of runs. */
  get capped(): ReadonlySet<string> {
    return this.#capped;
  }

  state(name: string): PlanState {
    return this.#of(name).state;
  }

  runs(name: string): number {
    return this.#of(name).runs;
  }

  /** All that is left is to end ephemeral processes. */
  get complete(): boolean {
    for (const { process, state } of this.#progress.values()) {
      if (state !== 'finished' && state !== 'failed' && !process.ephemeral) return false;
    }
    return true;
  }

  /** Nothing runs or ever will, but the plan is not complete: others depend on a process that failed. */
  get deadlocked(): boolean {
    return this.#ready.size === 0 && this.#running.size === 0 && !this.complete;
  }

  /** A run has begun. A process that already runs is allowed: recovery sees the start twice. */
  start(name: string): void {
    const { state } = this.#of(name);
    if (state === 'running') return;
    if (state !== 'ready') throw new Error(`process ${name} is ${state}, it cannot be started`);
    this.#enter(name, 'running');
  }

  /** The run succeeded. (The original counts a process as failed if the last allowed run succeeds.) */
  succeed(name: string, now: number): void {
    const { process } = this.#ended(name, now);
    if (process.daemon) this.#again(name);
    else this.#enter(name, 'finished');
  }

  /** The run failed. */
  fail(name: string, now: number): void {
    const progress = this.#ended(name, now);
    progress.failures++;
    const { max_failures, ephemeral } = progress.process;
    if (max_failures === 0 || progress.failures < max_failures) this.#again(name);
    else this.#enter(name, ephemeral ? 'finished' : 'failed');
  }

  /** The run was lost or killed: the process runs again, and this does not count as its failure. */
  lose(name: string, now: number): void {
    this.#ended(name, now);
    this.#again(name);
  }

  /** The process must not run again, whatever it did: it could not be started at all. */
  giveUp(name: string): void {
    if (this.#of(name).state !== 'running') throw new Error(`process ${name} does not run`);
    this.#enter(name, 'failed');
  }

  #of(name: string): ProcessProgress {
    const progress = this.#progress.get(name);
    if (progress === undefined) throw new Error(`the plan has no process ${name}`);
    return progress;
  }

  #wait(name: string, now: number): number {
    const { lastEnd, process } = this.#of(name);
    return lastEnd === undefined ? 0 : process.min_duration - (now - lastEnd);
  }

  #ended(name: string, now: number): ProcessProgress {
    const progress = this.#of(name);
    if (progress.state !== 'running') throw new Error(`process ${name} does not run`);
    progress.lastEnd = now;
    progress.runs++;
    return progress;
  }

  #again(name: string): void {
    const capped = this.runs(name) >= this.#maxRuns;
    if (capped) this.#capped.add(name);
    this.#enter(name, capped ? 'failed' : 'ready');
  }

  #enter(name: string, state: PlanState): void {
    const progress = this.#of(name);
    this.#ready.delete(name);
    this.#running.delete(name);
    progress.state = state;
    if (state === 'ready') this.#ready.add(name);
    if (state === 'running') this.#running.add(name);
    if (state === 'failed') this.#failed.add(name);
    if (state !== 'finished') return;
    this.#finished.add(name);
    for (const next of this.#dependents.get(name) ?? []) {
      if (countDown(this.#unmet, next)) this.#enter(next, 'ready');
    }
  }
}
