import { availableParallelism } from 'node:os';
import type { CheckpointRecord } from '../checkpoint/records.js';
import { CheckpointWriter } from '../checkpoint/writer.js';
import { thermosCommand } from '../discovery/advised-command.js';
import { describeErrno, SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isShortage, judgeShortage, patienceMs, shortageError, shortageRemedy } from '../errors/shortage.js';
import { requireDescriptors } from '../host/run-tool.js';
import type { Reason } from '../layout/reasons.js';
import { moveTaskFile } from '../lifecycle/finish.js';
import { keepReason } from '../lifecycle/keep-reason.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { ownerOf } from '../lifecycle/owner.js';
import { SandboxSharing } from '../lifecycle/sandbox-sharing.js';
import { TaskProcesses } from '../lifecycle/task-processes.js';
import { coordinatorStat } from '../lifecycle/task-streams.js';
import { checkOwnership } from '../lifecycle/trust.js';
import { AdoptedCoordinators } from './adoption.js';
import type { KillRequest, Outcome, Runner, RunnerEvents, RunSettings } from './api.js';
import { apply, reasonIn, stateAfter } from './apply.js';
import { CoordinatorStreams } from './coordinator-streams.js';
import { decide, type Effect } from './decide.js';
import { GroupCommit } from './group-commit.js';
import { type CoordinatorEnd, TransientError } from './launch.js';
import type { OpenedTask } from './open.js';
import { isLive, type LiveRun, type Run } from './progress.js';
import { StartKeeper } from './start-keeper.js';
import { type Start, Starter } from './starter.js';
import { liveRuns, type RunEvent, type RunState } from './state.js';
import type { RunnableTask } from './task-document.js';
import { Wakeups } from './wakeups.js';

/** How long to wait for a stream that an earlier coordinator has locked. */
const LOCKED_MS = 60_000;
/** A shortage that lasts longer is reported. */
const MOMENT_MS = 1000;
/** How often a step is tried again. */
const RETRY_SECONDS = 0.1;

/**
 * Starting hundreds of programs of Node at once is slower than starting them in turn. Those in C take next to nothing, but
 * each waits for the disk.
 */
function maxStarting({ coordinator }: RunSettings): number {
  return coordinator.native === undefined ? Math.max(4, 2 * availableParallelism()) : 32;
}

/**
 * See `Runner`. Collects events and carries out the effects of `decide`. All work is done in `#step`, which is called
 * when there may be something to do.
 */
export class TaskRunner implements Runner {
  readonly root: string;
  readonly taskId: string;
  readonly sandbox: string;
  readonly logDir: string;
  readonly task: RunnableTask;
  readonly resumed: boolean;

  readonly #opened: OpenedTask;
  readonly #settings: RunSettings;
  readonly #events: RunnerEvents;
  readonly #state: RunState;
  readonly #commit: GroupCommit;
  /**
   * The number of records of the stream that are durable as soon as anything of ours is: the first sync is also of all
   * before.
   */
  #synced: number;
  readonly #starter: Starter;
  readonly #streams: CoordinatorStreams;
  readonly #keeper: StartKeeper;
  readonly #adopted: AdoptedCoordinators;
  readonly #processes: TaskProcesses;
  /** Processes whose stream may have grown. */
  readonly #dirty = new Set<string>();
  /** Processes whose command may have started since the last step. */
  readonly #fresh = new Set<string>();
  /** Events since the last step. */
  readonly #inbox: RunEvent[] = [];
  /** The header is durable: until then, the task may be rolled back. */
  #isBegun: boolean;
  /** Reasons from before that. */
  readonly #early: Reason[] = [];
  /** Coordinators that are being started. */
  #starting = 0;
  readonly #abort = new AbortController();
  #reported = 0;
  readonly #wakeups: Wakeups;
  #isOver = false;
  /** Since when each step failed, by `performance.now`. */
  #shortSince: number | undefined;
  #isShortageSaid = false;
  #promise: { resolve: (outcome: Outcome) => void; reject: (error: unknown) => void } | undefined;

  constructor(opened: OpenedTask, settings: RunSettings, events: RunnerEvents) {
    const { place, task, account, sandbox, logDir, resumed, root, stream } = opened;
    this.root = place.root;
    this.taskId = place.taskId;
    this.sandbox = sandbox;
    this.logDir = logDir;
    this.task = task;
    this.resumed = resumed;
    this.#opened = opened;
    this.#settings = settings;
    this.#events = events;
    const terms = {
      task,
      header: opened.header,
      runner: { pid: process.pid, uid: process.getuid?.() ?? 0 },
      maxStarting: maxStarting(settings),
      maxRuns: settings.maxRuns,
    };
    this.#state = stateAfter(terms, opened.past, opened.problems);
    this.#synced = opened.past.length;
    this.#isBegun = this.#state.progress.header !== undefined;
    const writer = settings.writer?.(stream.fd) ?? new CheckpointWriter(stream.fd);
    this.#commit = new GroupCommit(writer, {
      durable: (records) => this.#try(() => this.#durable(records)),
      failed: (error) => this.#giveUp(error),
    });
    const report = (problem: Problem) => this.#apply({ type: 'problem', problem });
    this.#starter = new Starter(opened, settings, report, events.note);
    this.#streams = new CoordinatorStreams(root, (record) => {
      if (this.#state.progress.fits(record)) this.#append([record]);
    });
    this.#keeper = new StartKeeper(root, account?.uid);
    this.#adopted = new AdoptedCoordinators(place, this.#keeper);
    this.#processes = new TaskProcesses(LOCAL_PROCESSES, {
      owner: ownerOf(place.root, account?.uid ?? -1, () => checkOwnership(place, 0) === undefined),
      coordinator: (process) => coordinatorStat(place, process),
      starts: this.#keeper.starts,
      home: settings.chroot ? undefined : sandbox,
      root: settings.chroot ? sandbox : settings.containerizer?.rootfs,
      logDir,
      sharing: new SandboxSharing(place, sandbox, logDir),
    });
    this.#wakeups = new Wakeups(root.paths.directory, stream.fd, settings.now, {
      step: () => this.#try(() => this.#step()),
      grown: (process) => this.#dirty.add(process),
      readAll: () => {
        for (const { process } of liveRuns(this.#state)) this.#dirty.add(process);
      },
    });
    this.#report();
  }

  run(): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#promise = { resolve, reject };
      this.#try(() => {
        if (this.#state.progress.header !== undefined) this.#keeper.begin();
        this.#carryOut(decide(this.#state, this.#now()));
        this.#commit.commitNow();
        this.#wakeups.watch();
        for (const run of this.#state.progress.runs.values()) {
          if (isLive(run) || run.state === 'WAITING') this.#dirty.add(run.process);
          if (isLive(run)) this.#fresh.add(run.process);
        }
      });
    });
  }

  kill(request: KillRequest): void {
    if (this.#isOver) return;
    const { asked, state } = request;
    if (asked !== undefined) {
      const code = state === 'LOST' ? 'task-lost' : 'task-killed';
      this.#keep({ code, message: asked.what, by: asked.by });
    }
    // Before `run` there is no loop; the wait of this kill starts now, too.
    if (this.#promise === undefined) this.#apply({ type: 'kill', request });
    else this.#happened({ type: 'kill', request });
  }

  close(): void {
    this.#release();
  }

  // Scheduling.

  #happened(event: RunEvent): void {
    this.#inbox.push(event);
    this.#wakeups.soon();
  }

  /** An error ends the runner, not the task. */
  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!this.#waits(error)) this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    if (this.#isOver) return;
    const known = isShortage(error) ? shortageError(`task ${this.taskId} cannot go on`, error) : error;
    const code = known instanceof SystemError ? known.code : 'bug';
    this.#keep({ code, message: `the runner has given up: ${(known as Error).message}` });
    this.#release();
    this.#promise?.reject(known instanceof SystemError ? this.#resumable(known) : known);
  }

  /** Is the machine short of something that it may have again soon? Then the next step tries it again. */
  #waits(error: unknown): boolean {
    if (this.#isOver || !this.#isBegun) return false;
    const now = performance.now();
    this.#shortSince ??= now;
    const waited = now - this.#shortSince;
    if (judgeShortage(error, waited, 'running', this.#settings.patienceMs) !== 'wait') return false;
    if (waited >= MOMENT_MS && !this.#isShortageSaid) {
      this.#isShortageSaid = true;
      const { message, hint } = shortageError('the runner has to wait', error);
      this.#apply({
        type: 'problem',
        problem: { code: 'out-of-resources', severity: 'warning', message, hint },
      });
    }
    // What was added to the records before that must not wait, unless it is what cannot be written.
    try {
      this.#commit.commit();
    } catch (failure) {
      if (judgeShortage(failure, waited, 'running', this.#settings.patienceMs) !== 'wait') {
        this.#giveUp(failure);
        return true;
      }
    }
    this.#wakeups.at(this.#now() + RETRY_SECONDS);
    return true;
  }

  /** What is decided depends on which processes could be started, so the starts of the last step come first. */
  #step(): void {
    if (this.#starting > 0) return;
    this.#gather();
    this.#carryOut(decide(this.#state, this.#now()));
    this.#commit.commit();
    this.#shortSince = undefined;
    this.#isShortageSaid = false;
  }

  // Events.

  /** Collects new records of coordinators, ends of coordinators, and requests. */
  #gather(): void {
    for (const process of this.#dirty) this.#read(process);
    this.#dirty.clear();
    for (let event = this.#inbox[0]; event !== undefined; event = this.#inbox[0]) {
      if (event.type === 'gone') {
        this.#read(event.process);
        this.#keepLoss(event);
      }
      this.#inbox.shift();
      this.#apply(event);
    }
    const { children, lost } = this.#state;
    for (const run of liveRuns(this.#state)) {
      const { process, coordinator_pid: coordinatorPid } = run;
      if (children.has(coordinatorPid) || lost.has(process) || this.#isAdopted(run)) continue;
      this.#read(process);
      const event: RunEvent = { type: 'gone', process, coordinatorPid };
      this.#keepLoss(event);
      this.#apply(event);
    }
    for (const process of this.#fresh) {
      const run = this.#runOf(process);
      if (run !== undefined) this.#keeper.running(run);
    }
    this.#fresh.clear();
  }

  #isAdopted(run: LiveRun): boolean {
    if (this.#adopted.isAlive(run)) return true;
    // Without descriptors nothing is found alive.
    requireDescriptors();
    return this.#adopted.isAlive(run);
  }

  /** Copies new records from the stream of a process into the task's. */
  #read(process: string): void {
    if (!this.#state.byName.has(process)) return;
    const problem = this.#streams.read(process);
    if (problem !== undefined) this.#apply({ type: 'problem', problem });
  }

  #apply(event: RunEvent): void {
    apply(this.#state, event, this.#now());
    this.#report();
  }

  #report(): void {
    const { problems } = this.#state;
    for (; this.#reported < problems.length; this.#reported++) {
      const problem = { ...problems[this.#reported], task_id: this.taskId } as (typeof problems)[number];
      problems[this.#reported] = problem;
      const { code, process } = problem;
      this.#keep({ code, message: reasonIn(problem), process, run: this.#runOf(process)?.index });
      this.#events.problem?.(problem);
    }
  }

  // Reasons for those who look at the task later.

  #keep(reason: Omit<Reason, 'time_ms'>): void {
    const timed = { ...reason, time_ms: Math.round(this.#settings.now()) };
    if (!this.#isBegun) this.#early.push(timed);
    else keepReason(this.#opened.place, timed, this.#opened.account?.uid);
  }

  #runOf(process: string | undefined): Run | undefined {
    return process === undefined ? undefined : this.#state.progress.runs.get(process);
  }

  /** Why a coordinator left its run without an end. */
  #keepLoss({ process, coordinatorPid, refusal, shortage, death }: RunEvent & { type: 'gone' }): void {
    const run = this.#runOf(process);
    const { killAll, lost } = this.#state;
    // Those that we kill are not lost.
    if (refusal !== undefined || shortage !== undefined || killAll !== undefined || lost.has(process)) return;
    if (!isLive(run) || run.coordinator_pid !== coordinatorPid) return;
    const message = `its coordinator (pid ${coordinatorPid}) ${death ?? 'is gone'}`;
    this.#keep({ code: 'process-lost', message, process, run: run.index });
  }

  // Effects.

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) this.#do(effect);
    // Handle events that came meanwhile before the next decision.
    if (effects.at(-1)?.type !== 'sleep') this.#wakeups.soon();
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'record':
        this.#append(effect.records);
        break;
      case 'start':
        this.#start(effect);
        break;
      case 'terminate':
        this.#terminate(effect.run);
        break;
      case 'kill':
        if (effect.run === undefined) this.#killAll();
        else this.#kill(effect.run);
        break;
      case 'stop': {
        const { process, reason, hint } = effect;
        const message = `process ${JSON.stringify(process)} cannot be started: ${reason}`;
        throw new SystemError('out-of-resources', message, hint);
      }
      case 'finish':
        moveTaskFile(this.#opened.place, this.#now() * 1000);
        this.#release();
        this.#promise?.resolve({ state: effect.state, problems: this.#state.problems });
        break;
      case 'sleep':
        this.#wakeups.at(effect.until);
        break;
    }
  }

  /** To the records of this turn. */
  #append(records: readonly CheckpointRecord[]): void {
    for (const record of records) {
      this.#commit.add(record);
      this.#apply({ type: 'recorded', record });
      const { type, value } = record;
      if (type === 'process_status' && value.state === 'RUNNING') this.#fresh.add(value.process as string);
    }
  }

  #durable(records: readonly CheckpointRecord[]): void {
    this.#synced += records.length;
    this.#apply({ type: 'durable', count: this.#synced });
    for (const record of records) {
      if (record.type === 'runner_header') this.#begin();
      this.#events.record?.(record);
    }
    this.#wakeups.soon();
  }

  #begin(): void {
    this.#isBegun = true;
    this.#keeper.begin();
    for (const reason of this.#early.splice(0)) {
      keepReason(this.#opened.place, reason, this.#opened.account?.uid);
    }
  }

  #start(start: Start): void {
    const { process } = start;
    const ended = (coordinatorPid: number, { failure, ...end }: CoordinatorEnd) => {
      if (failure !== undefined) this.#giveUp(failure);
      else this.#happened({ type: 'gone', process, coordinatorPid, ...end });
    };
    const waiting = (reason: string) => this.#happened({ type: 'waiting', process, reason });
    this.#starting += 1;
    const forked = (coordinatorPid: number, time: number) => this.#keeper.forked(coordinatorPid, time);
    this.#starter.start(start, { forked, ended, waiting, signal: this.#abort.signal }).then(
      (coordinatorPid) => this.#started(process, { coordinatorPid }),
      (error) => this.#started(process, { error }),
    );
  }

  #started(process: string, result: { coordinatorPid: number } | { error: unknown }): void {
    this.#starting -= 1;
    if (this.#isOver) return;
    this.#try(() => {
      if ('coordinatorPid' in result) {
        this.#apply({ type: 'started', process, coordinatorPid: result.coordinatorPid });
        this.#read(process);
      } else {
        const { error } = result;
        const patience = this.#patienceFor(error);
        const isTransient = patience !== undefined && patience > 0;
        if (!isTransient && (error instanceof SystemError || isShortage(error))) throw error;
        const reason = describeErrno(error);
        const hint = shortageRemedy(error);
        this.#apply({ type: 'not-started', process, reason, isTransient, patience, hint });
      }
      this.#wakeups.soon();
    });
  }

  /** How long to try again to start a process, in seconds; undefined: not at all. */
  #patienceFor(error: unknown): number | undefined {
    const { patienceMs: most = Number.POSITIVE_INFINITY } = this.#settings;
    const known = patienceMs(error, 'running') ?? (error instanceof TransientError ? LOCKED_MS : undefined);
    return known && Math.min(known, most) / 1000;
  }

  #terminate(run: LiveRun | undefined): void {
    const { progress } = this.#state;
    const problems =
      run === undefined
        ? this.#processes.terminate(liveRuns(this.#state), progress.traces)
        : this.#processes.terminateCommand(run);
    for (const problem of problems) this.#apply({ type: 'problem', problem });
    this.#apply({ type: 'terminated', process: run?.process });
  }

  #kill(run: LiveRun): void {
    const { process, coordinator_pid: coordinatorPid } = run;
    if (!this.#state.lost.has(process)) {
      const message = `its coordinator (pid ${coordinatorPid}) did not start it in time`;
      this.#keep({ code: 'process-lost', message, process, run: run.index });
    }
    for (const problem of this.#processes.end([run])) this.#apply({ type: 'problem', problem });
    this.#read(process);
    this.#apply({ type: 'cleared', process, coordinatorPid });
  }

  #killAll(): void {
    const live = liveRuns(this.#state);
    const { alive, problems } = this.#processes.endAll(this.#state.progress.traces);
    for (const problem of problems) this.#apply({ type: 'problem', problem });
    for (const { process } of live) this.#read(process);
    this.#apply({ type: 'all-killed', ended: alive });
  }

  #release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort.abort();
    this.#wakeups.close();
    this.#keeper.close();
    this.#commit.close();
    if (!this.#isBegun) this.#opened.rollBack();
    this.#opened.stream.close();
    this.#opened.root.close();
  }

  #resumable({ code, message, hint, cause }: SystemError): SystemError {
    const { root, taskId } = this.#opened.place;
    const run = thermosCommand(['run', '--task-id', taskId], { root: [root] }, ['CONFIG']);
    const goOn = `its processes keep running; to resume the task, with the same config: ${run}`;
    const remedy = shortageRemedy(cause) ?? (code === 'out-of-resources' ? hint : undefined);
    if (remedy !== undefined) return new SystemError(code, message, `${remedy}; ${goOn}`, cause);
    return new SystemError(code, message, hint ?? goOn, cause);
  }

  #now(): number {
    return this.#settings.now() / 1000;
  }
}
