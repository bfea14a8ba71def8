import {
  type CheckpointRecord,
  isTerminalTaskState,
  type ProcessStatus,
  type TaskState,
} from '../../src/checkpoint/records.js';
import type { KillRequest } from '../../src/runner/api.js';
import { apply, stateAfter } from '../../src/runner/apply.js';
import { decide, type Effect } from '../../src/runner/decide.js';
import { liveRuns, type RunEvent, type RunState } from '../../src/runner/state.js';
import type { RunnableProcess, RunnableTask } from '../../src/runner/task-document.js';

/** A coordinator with its command. It goes on whatever becomes of the runner. */
interface Coordinator {
  readonly pid: number;
  readonly process: string;
  readonly forkTime: number;
  seq: number;
  isAlive: boolean;
  /** It never comes to its command. */
  isHung: boolean;
  /** The pid of the command, as long as it runs. */
  command: number | undefined;
  /** So many records of its process's stream are durable. */
  durable: number;
}

/** What the world does of itself. */
export type Happening =
  /** A coordinator gets on: starts its command, or records how it ended. `which` of those that live. */
  | { readonly type: 'advance'; readonly which: number; readonly end: 'SUCCESS' | 'FAILED' | 'KILLED' }
  /** It dies and records nothing. */
  | { readonly type: 'die'; readonly which: number }
  /** It gives up before its command has started. */
  | { readonly type: 'refuse' | 'hang'; readonly which: number }
  | { readonly type: 'kill'; readonly request: KillRequest }
  /** The clock is set, or time passes. */
  | { readonly type: 'clock'; readonly seconds: number }
  /** What a start of a process comes to, the next time. */
  | { readonly type: 'start-fails'; readonly isTransient: boolean }
  /** The runner looks at its task. `blind`: no event told it that streams have grown. */
  | { readonly type: 'step'; readonly isBlind: boolean }
  /** A sync of the task's stream is done. */
  | { readonly type: 'sync' }
  /** The runner dies, and another takes the task up; `after` so many more records, also in the middle of a group. */
  | { readonly type: 'crash'; readonly after: number }
  /** The machine loses its power: nothing lives on, and of what was not durable only so many records are kept. */
  | { readonly type: 'power-cut'; readonly kept: number };

class Crash extends Error {}

/** The rules that the records and starts of a task must obey, broken. */
export class Broken extends Error {}

const HEADER: CheckpointRecord = { type: 'runner_header', value: { task_id: 'task' } };

/** A task with its coordinators and its streams in memory, and the runner that decides what is done. */
export class World {
  readonly task: RunnableTask;
  readonly maxRuns: number;
  readonly stream: CheckpointRecord[] = [];
  readonly coordinators: Coordinator[] = [];
  /** What the present runner was asked for, before the task's end. */
  readonly kills: KillRequest[] = [];
  /** Some runner was asked to kill the task. */
  wasKilled = false;
  finished: TaskState | undefined;
  /** The runner died after the terminal state, and before it had ended what still ran. */
  diedAtTheEnd = false;
  now = 1_000_000;
  /** Seconds since the epoch, if the runner sleeps. */
  sleepsUntil: number | undefined;
  isAsleep = false;
  readonly #deaf: ReadonlySet<string>;
  readonly #streams = new Map<string, ProcessStatus[]>();
  #read = new Map<string, number>();
  #state: RunState;
  #inbox: RunEvent[] = [];
  /** The coordinators that are children of the present runner. */
  #children = new Set<number>();
  #startFails: boolean | undefined;
  /** A new runner looks at all streams first. */
  #isNew = true;
  #recordsLeft = Number.POSITIVE_INFINITY;
  /** So many records of the stream are written; those behind are of the present turn. */
  #written = 0;
  /** So many are durable, whoever wrote them. */
  #durable = 0;
  /** So many will be durable when the sync that has begun is done. */
  #syncing: number | undefined;
  #pid = 100;
  #happens: (() => void) | undefined;

  /** `deaf`: the processes that ignore SIGTERM. */
  constructor(task: RunnableTask, maxRuns: number, deaf: readonly string[]) {
    this.task = task;
    this.maxRuns = maxRuns;
    this.#deaf = new Set(deaf);
    this.#state = this.#takeUp();
    this.#begin();
  }

  get live(): readonly Coordinator[] {
    return this.coordinators.filter(({ isAlive }) => isAlive);
  }

  get status(): TaskState | undefined {
    const last = this.stream.findLast((record) => record.type === 'task_status');
    return last?.value.state as TaskState | undefined;
  }

  get isSyncing(): boolean {
    return this.#syncing !== undefined;
  }

  /** `meanwhile` happens during the step, between two effects. */
  happen(what: Happening, meanwhile?: Happening): void {
    if (this.finished !== undefined) return;
    switch (what.type) {
      case 'advance':
        this.#advance(this.#pick(what.which), what.end);
        break;
      case 'die':
        this.#die(this.#pick(what.which));
        break;
      case 'refuse': {
        const coordinator = this.#pick(what.which);
        if (coordinator?.command === undefined) this.#die(coordinator, 'no such program');
        break;
      }
      case 'hang': {
        const coordinator = this.#pick(what.which);
        if (coordinator !== undefined) coordinator.isHung = coordinator.command === undefined;
        break;
      }
      case 'kill':
        this.#inbox.push({ type: 'kill', request: what.request });
        break;
      case 'clock':
        this.now += what.seconds;
        break;
      case 'start-fails':
        this.#startFails = what.isTransient;
        break;
      case 'crash':
        this.#recordsLeft = what.after;
        break;
      case 'sync':
        if (this.#syncing !== undefined) this.#isDurable(this.#syncing);
        break;
      case 'power-cut':
        this.#alive(() => this.#powerCut(what.kept));
        break;
      case 'step':
        if (meanwhile?.type === 'power-cut') this.#happens = () => this.#powerCut(meanwhile.kept);
        else if (meanwhile !== undefined && meanwhile.type !== 'step')
          this.#happens = () => this.happen(meanwhile);
        this.#alive(() => this.#step(what.isBlind));
        this.#happens = undefined;
        break;
    }
  }

  #takeUp(): RunState {
    const runner = { pid: this.#pid++, uid: 0 };
    const terms = { task: this.task, header: HEADER, runner, maxStarting: 4, maxRuns: this.maxRuns };
    return stateAfter(terms, this.stream, []);
  }

  /** What the runner does; if it dies of it, another begins. */
  #alive(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#recordsLeft = Number.POSITIVE_INFINITY;
      this.stream.length = this.#written;
      this.#syncing = undefined;
      this.#inbox = [];
      this.#children = new Set();
      this.#read = new Map();
      this.#happens = undefined;
      const last = this.status;
      // The next runner only moves the task file: what is left is for others to clean up.
      if (isTerminalTaskState(last)) {
        this.finished = last;
        this.diedAtTheEnd = true;
      } else {
        this.kills.length = 0;
        this.#state = this.#takeUp();
        this.#begin();
      }
    }
  }

  #begin(): void {
    this.#isNew = true;
    this.#alive(() => {
      this.#carryOut();
      // Of the first group, it waits.
      this.#syncing = undefined;
      this.#isDurable(this.stream.length);
    });
  }

  #step(isBlind: boolean): void {
    if (!isBlind || this.#isNew) for (const process of this.#streams.keys()) this.#copy(process);
    this.#isNew = false;
    for (const event of this.#inbox.splice(0)) {
      if (event.type === 'gone') this.#copy(event.process);
      this.#apply(event);
    }
    for (const { process, coordinator_pid: coordinatorPid } of liveRuns(this.#state)) {
      const isSeen = this.#children.has(coordinatorPid) || this.#state.lost.has(process);
      if (isSeen || this.live.some(({ pid }) => pid === coordinatorPid)) continue;
      this.#copy(process);
      this.#apply({ type: 'gone', process, coordinatorPid });
    }
    this.#carryOut();
  }

  #carryOut(): void {
    const effects = decide(this.#state, this.now);
    if (JSON.stringify(effects) !== JSON.stringify(decide(this.#state, this.now)))
      throw new Broken('asked twice, it decides otherwise');
    if (effects.length === 0) throw new Broken('there is nothing to do, and no sleep');
    this.isAsleep = false;
    for (const effect of effects) {
      this.#do(effect);
      this.#happens?.();
      this.#happens = undefined;
    }
    this.#commit();
  }

  /** Writes the records of the turn; a crash leaves the first of them. */
  #commit(): void {
    while (this.#written < this.stream.length) {
      if (--this.#recordsLeft < 0) throw new Crash();
      this.#written += 1;
    }
    if (this.#durable < this.#written) this.#syncing ??= this.#written;
  }

  #isDurable(count: number): void {
    this.#durable = Math.max(this.#durable, count);
    this.#syncing = this.#durable < this.#written ? this.#written : undefined;
    this.#apply({ type: 'durable', count });
  }

  #powerCut(kept: number): never {
    this.#written = Math.min(this.#written, this.#durable + kept);
    for (const coordinator of this.coordinators) {
      coordinator.isAlive = false;
      coordinator.command = undefined;
    }
    for (const [process, records] of this.#streams) {
      const durable = this.coordinators.findLast((each) => each.process === process)?.durable ?? 0;
      this.#streams.set(process, records.slice(0, durable + kept));
    }
    throw new Crash();
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'record':
        for (const record of effect.records) this.#append(record);
        break;
      case 'start':
        this.#start(effect);
        break;
      case 'terminate': {
        this.#checkDurable(this.#state.progress.statusAt, 'SIGTERM');
        const all = effect.run === undefined ? this.coordinators : this.#of(effect.run.coordinator_pid);
        for (const each of all) this.#terminate(each);
        this.#apply({ type: 'terminated', process: effect.run?.process });
        break;
      }
      case 'kill':
        if (effect.run === undefined) {
          this.#checkDurable(this.#state.progress.statusAt, 'SIGKILL');
          const ended = new Set(this.coordinators.flatMap((each) => this.#endAll(each)));
          for (const { process } of liveRuns(this.#state)) this.#copy(process);
          this.#apply({ type: 'all-killed', ended });
        } else {
          const { process, coordinator_pid: coordinatorPid } = effect.run;
          for (const each of this.#of(coordinatorPid)) this.#endAll(each);
          this.#copy(process);
          this.#apply({ type: 'cleared', process, coordinatorPid });
        }
        break;
      case 'stop':
        throw new Crash();
      case 'finish':
        if (this.finished !== undefined) throw new Broken('it ends twice');
        this.#checkDurable(this.stream.length, 'the end');
        this.finished = effect.state;
        break;
      case 'sleep':
        this.isAsleep = true;
        this.sleepsUntil = effect.until;
        break;
    }
  }

  #apply(event: RunEvent): void {
    if (event.type === 'kill' && !isTerminalTaskState(this.status)) {
      this.kills.push(event.request);
      this.wasKilled = true;
    }
    apply(this.#state, event, this.now);
  }

  #append(record: CheckpointRecord): void {
    this.#checkRecord(record);
    this.stream.push(record);
    this.#apply({ type: 'recorded', record });
  }

  #copy(process: string): void {
    const records = this.#streams.get(process) ?? [];
    for (let at = this.#read.get(process) ?? 0; at < records.length; at++) {
      this.#read.set(process, at + 1);
      const record: CheckpointRecord = { type: 'process_status', value: records[at] as ProcessStatus };
      if (this.#state.progress.fits(record)) this.#append(record);
    }
  }

  // Coordinators.

  #start({ process, seq }: Effect & { type: 'start' }): void {
    this.#checkStart(process);
    if (this.#startFails !== undefined) {
      const isTransient = this.#startFails;
      this.#startFails = undefined;
      this.#apply({ type: 'not-started', process, reason: 'a fault', isTransient });
      return;
    }
    const coordinator = {
      pid: this.#pid++,
      process,
      forkTime: this.now,
      seq,
      isAlive: true,
      isHung: false,
      command: undefined,
      durable: this.coordinators.findLast((each) => each.process === process)?.durable ?? 0,
    };
    this.coordinators.push(coordinator);
    this.#children.add(coordinator.pid);
    this.#tell(coordinator, { state: 'FORKED', fork_time: this.now, coordinator_pid: coordinator.pid });
    this.#apply({ type: 'started', process, coordinatorPid: coordinator.pid });
    this.#copy(process);
  }

  #tell(coordinator: Coordinator, status: ProcessStatus): void {
    const { process } = coordinator;
    const records = this.#streams.get(process) ?? [];
    this.#streams.set(process, [...records, { seq: coordinator.seq++, process, ...status }]);
  }

  #pick(which: number): Coordinator | undefined {
    const { live } = this;
    return live[which % live.length];
  }

  #of(pid: number): Coordinator[] {
    return this.coordinators.filter((each) => each.pid === pid);
  }

  #advance(coordinator: Coordinator | undefined, end: 'SUCCESS' | 'FAILED' | 'KILLED'): void {
    if (coordinator === undefined || coordinator.isHung) return;
    // It waits for the disk before it does anything else.
    coordinator.durable = this.#streams.get(coordinator.process)?.length as number;
    if (coordinator.command === undefined) {
      coordinator.command = this.#pid++;
      this.#tell(coordinator, { state: 'RUNNING', start_time: this.now, pid: coordinator.command });
    } else this.#ends(coordinator, end);
  }

  #ends(coordinator: Coordinator, state: 'SUCCESS' | 'FAILED' | 'KILLED'): void {
    const return_code = { SUCCESS: 0, FAILED: 1, KILLED: -15 }[state];
    this.#tell(coordinator, { state, stop_time: this.now, return_code });
    coordinator.command = undefined;
    this.#die(coordinator);
  }

  #die(coordinator: Coordinator | undefined, refusal?: string): void {
    if (coordinator === undefined) return;
    const { process, pid: coordinatorPid } = coordinator;
    coordinator.isAlive = false;
    if (this.#children.has(coordinatorPid))
      this.#inbox.push({ type: 'gone', process, coordinatorPid, refusal });
  }

  #terminate(coordinator: Coordinator): void {
    if (coordinator.command === undefined || this.#deaf.has(coordinator.process)) return;
    if (coordinator.isAlive) this.#ends(coordinator, 'KILLED');
    coordinator.command = undefined;
  }

  /** Returns what was alive. */
  #endAll(coordinator: Coordinator): number[] {
    const { pid, command, isAlive } = coordinator;
    coordinator.command = undefined;
    if (isAlive) this.#die(coordinator);
    return [...(isAlive ? [pid] : []), ...(command === undefined ? [] : [command])];
  }

  // What must hold.

  #checkRecord({ type, value }: CheckpointRecord): void {
    if (type === 'task_status') {
      const running = liveRuns(this.#state).map((run) => run.process);
      if (value.state === 'FINALIZING' && this.status !== 'FINALIZING' && running.length > 0)
        throw new Broken(`${running} runs, and final processes are to run`);
    }
    if (type !== 'process_status' || value.state !== 'WAITING') return;
    const { name, final } = this.#process(value.process as string);
    if (this.status !== (final ? 'FINALIZING' : 'ACTIVE')) throw new Broken(`${name} is WAITING too late`);
    if (outcomeOf(this, name).fate !== undefined) throw new Broken(`${name} is WAITING, and is not to run`);
  }

  #process(name: string): RunnableProcess {
    return this.task.processes.find((each) => each.name === name) as RunnableProcess;
  }

  /** So many records must be durable. */
  #checkDurable(count: number, what: string): void {
    if (count > this.#durable)
      throw new Broken(`${what} comes before record ${count} is durable: ${this.#durable} are`);
  }

  #checkStart(name: string): void {
    const waiting = this.stream.findLastIndex(
      ({ type, value }) => type === 'process_status' && value.process === name,
    );
    this.#checkDurable(waiting + 1, `the start of ${name}`);
    const fail = (why: string): never => {
      throw new Broken(`${name} is started ${why}`);
    };
    const process = this.#process(name);
    const { status } = this;
    if (status !== (process.final ? 'FINALIZING' : 'ACTIVE')) fail(`while the task is ${status}`);
    if (this.#state.kill !== undefined && !process.final) fail('though the task is to be killed');
    const past = outcomeOf(this, name);
    if (past.last !== 'WAITING') fail(`but no run of it is recorded as WAITING`);
    if (past.runs >= this.maxRuns) fail(`though it has run ${past.runs} times`);
    if (past.fate !== undefined) fail(`though it has ${past.fate}`);
    if (
      this.coordinators.some((each) => each.process === name && (each.isAlive || each.command !== undefined))
    )
      fail('though it runs');
    for (const order of this.task.orders) {
      const at = order.indexOf(name);
      for (const before of order.slice(0, Math.max(at, 0)))
        if (outcomeOf(this, before).fate !== 'finished') fail(`before ${before} has finished`);
    }
    const { max_concurrency, max_failures, processes } = this.task;
    const half = processes.filter(({ final }) => final === process.final);
    const running = half.filter((each) =>
      ['FORKED', 'RUNNING'].includes(outcomeOf(this, each.name).last as string),
    );
    if (max_concurrency > 0 && running.length >= max_concurrency) fail(`beside ${running.length} others`);
    const failed = half.filter((each) => outcomeOf(this, each.name).fate === 'failed');
    // What was decided together is done together.
    if (!process.final && max_failures > 0 && failed.length >= max_failures && !this.#isUnstartable(failed))
      fail('though the task has failed');
  }

  #isUnstartable(failed: readonly RunnableProcess[]): boolean {
    return failed.some(({ name }) => this.#state.problems.some(({ process }) => process === name));
  }
}

export interface ProcessOutcome {
  /** The state of its last record. */
  readonly last: unknown;
  /** Runs that have ended. */
  readonly runs: number;
  /** Undefined: it is to run (again). */
  readonly fate: 'finished' | 'failed' | undefined;
}

/** What the records say of a process, by the rules of the original: found out anew, without the planner. */
export function outcomeOf(
  { task, maxRuns, stream: whole }: World,
  name: string,
  stream: readonly CheckpointRecord[] = whole,
): ProcessOutcome {
  const process = task.processes.find((each) => each.name === name) as RunnableProcess;
  let [runs, failures] = [0, 0];
  let last: unknown;
  let fate: ProcessOutcome['fate'];
  for (const { type, value } of stream) {
    if (type !== 'process_status' || value.process !== name) continue;
    const { state } = value;
    if (state === 'FAILED' && last === 'WAITING') fate = 'failed';
    else if (state === 'SUCCESS' || state === 'FAILED' || state === 'KILLED' || state === 'LOST') {
      runs += 1;
      if (state === 'FAILED') failures += 1;
      const { max_failures, daemon, ephemeral } = process;
      const isOut = state === 'FAILED' && max_failures > 0 && failures >= max_failures;
      if (state === 'SUCCESS' && !daemon) fate = 'finished';
      else if (isOut) fate = ephemeral ? 'finished' : 'failed';
      else if (runs >= maxRuns) fate = 'failed';
    }
    last = state;
  }
  return { last, runs, fate };
}
