import { futimesSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { RecordLister } from '../checkpoint/follow.js';
import { readStream } from '../checkpoint/reader.js';
import {
  type CheckpointRecord,
  isTerminalTaskState,
  type ProcessStatus,
  type TaskState,
} from '../checkpoint/records.js';
import { CheckpointWriter } from '../checkpoint/writer.js';
import { Planner, planOf } from '../config/planner.js';
import { describeErrno, errnoOf, SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { processRow } from '../host/process-table.js';
import { COORDINATOR_PREFIX, type Place } from '../layout/task-paths.js';
import { moveTaskFile } from '../lifecycle/finish.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { ownerOf } from '../lifecycle/owner.js';
import { SandboxMates } from '../lifecycle/sandbox-mates.js';
import { TaskProcesses } from '../lifecycle/task-processes.js';
import { coordinatorStat } from '../lifecycle/task-streams.js';
import { distrust } from '../lifecycle/trust.js';
import { type NameWatcher, watchNames } from '../store/directory-watcher.js';
import { isDirectory, presenceOf } from '../store/look.js';
import type { OpenFile } from '../store/open-file.js';
import { unreadableCheckpoint } from '../task/checkpoint-problems.js';
import { START_TOLERANCE_MS } from '../task/liveness.js';
import type { KillRequest, Outcome, RecordSink, Runner, RunnerEvents, RunSettings } from './api.js';
import type { Account } from './coordinator/job.js';
import { launch, NotNow } from './launch.js';
import { PROFILE, profileOf } from './profile.js';
import { isLive, type LiveRun, type Progress, type Run } from './progress.js';
import { DEFAULT_LOGGER, type RunnableProcess, type RunnableTask } from './task-document.js';
import type { TaskRoot } from './task-root.js';

/** As the original: FORKED for longer than this is LOST. */
const FORKED_SECONDS = 60;
/** As the original, for a kill that says nothing else. */
const PREEMPTION_WAIT_SECONDS = 60;
/** How old the stream may get while nothing happens; the same look finds what no event told. */
const TOUCH_MS = 10_000;
/** The end of a coordinator that a runner before us started is no event for us. */
const ADOPTED_MS = 500;
/** For a coordinator that has lost its runner to let go of its stream, and for a machine to have room again. */
const RETRY_MS = 50;
const RETRY_SECONDS = 60;
/** Started in one go, before what happened meanwhile is looked at. */
const BATCH = 4;

/** A task that is ours: its lock is held on `fd`. */
export interface OpenedTask {
  readonly place: Place;
  readonly root: TaskRoot;
  /** Locked. */
  readonly stream: OpenFile;
  readonly task: RunnableTask;
  readonly progress: Progress;
  /** The records that the stream had, in order. */
  readonly past: readonly CheckpointRecord[];
  readonly resumed: boolean;
  readonly sandbox: string;
  readonly logDir: string;
  readonly userName: string;
  /** Undefined if there is no such user here: no process can be started then. */
  readonly account: Account | undefined;
  /** Appended after the first status if the stream has no header. */
  readonly header: CheckpointRecord;
  readonly problems: readonly Problem[];
  /** Removes what was made for the task by opening it, if it has no header yet: it then never began. */
  readonly takeBack: () => void;
}

/** See `Runner`. Everything happens in `#step`, which is called when there may be something to do. */
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
  readonly #sink: RecordSink;
  readonly #progress: Progress;
  readonly #regular: Planner;
  readonly #finalizing: Planner;
  readonly #processes: TaskProcesses;
  readonly #problems: Problem[] = [];
  readonly #byName: ReadonlyMap<string, RunnableProcess>;
  /** How far each coordinator's stream was read. */
  readonly #listers = new Map<string, RecordLister>();
  /** Coordinators that are children of ours, and alive. */
  readonly #children = new Set<number>();
  /** Coordinators that a runner before us started, with their start in ticks. */
  readonly #adopted = new Map<number, number>();
  /** Processes whose stream may have grown. */
  readonly #dirty = new Set<string>();
  readonly #ended: { name: string; coordinatorPid: number; refusal: string | undefined }[] = [];
  /** Processes that can't be started now, since when. */
  readonly #notNow = new Map<string, number>();
  #kill: KillRequest | undefined;
  /** Processes were asked to end. */
  #asked = false;
  /** Seconds since the epoch. */
  #killDeadline: number | undefined;
  #watcher: NameWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #touch: NodeJS.Timeout | undefined;
  #scheduled = false;
  #over = false;
  #settle: { resolve: (outcome: Outcome) => void; reject: (error: unknown) => void } | undefined;

  constructor(opened: OpenedTask, settings: RunSettings, events: RunnerEvents) {
    const { place, task, progress, account } = opened;
    this.#opened = opened;
    this.#settings = settings;
    this.#events = events;
    this.root = place.root;
    this.taskId = place.taskId;
    this.sandbox = opened.sandbox;
    this.logDir = opened.logDir;
    this.task = task;
    this.resumed = opened.resumed;
    this.#progress = progress;
    const writer = settings.writer ?? ((fd) => new CheckpointWriter(fd));
    this.#sink = writer(opened.stream.fd);
    this.#byName = new Map(task.processes.map((process) => [process.name, process]));
    const planner = (final: boolean) =>
      new Planner(task.processes, planOf(task.processes, task.orders, final), settings.maxRuns);
    this.#regular = planner(false);
    this.#finalizing = planner(true);
    this.#processes = new TaskProcesses(LOCAL_PROCESSES, {
      owner: ownerOf(place.root, account?.uid ?? -1, () => distrust(place, 0) === undefined),
      coordinator: (process) => coordinatorStat(place, process),
      home: settings.chroot ? undefined : opened.sandbox,
      root: settings.chroot ? opened.sandbox : undefined,
      logDir: opened.logDir,
      mates: new SandboxMates(place, opened.sandbox, opened.logDir),
    });
    for (const problem of opened.problems) this.#problem(problem);
    for (const record of opened.past) this.#replan(record);
  }

  run(): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      try {
        this.#begin();
      } catch (error) {
        this.#fail(error);
        return;
      }
      this.#schedule();
    });
  }

  kill(request: KillRequest): void {
    if (this.#over) return;
    const before = this.#kill;
    this.#kill = before === undefined ? request : moreUrgent(before, request);
    if (this.#settle === undefined) return;
    try {
      this.#carryOutKill(before === undefined);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#schedule();
  }

  close(): void {
    this.#release();
  }

  #begin(): void {
    this.#setStatus(this.#progress.status ?? 'ACTIVE');
    if (this.#progress.header === undefined) this.#record(this.#opened.header);
    this.#watch();
    this.#touch = setInterval(() => this.#lookAround(), TOUCH_MS);
    for (const run of this.#progress.runs.values()) {
      if (isLive(run) || run.state === 'WAITING') this.#readCoordinator(run.process);
    }
    if (this.#kill !== undefined) this.#carryOutKill(false);
    else if (this.#progress.status === 'CLEANING') this.#askToEnd();
    else if (this.#progress.status === 'FINALIZING') this.#endEverything(-1);
  }

  // What is to be done.

  #schedule(): void {
    if (this.#scheduled || this.#over) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#over) return;
      try {
        this.#step();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #step(): void {
    this.#gather();
    while (!this.#over && this.#act());
    if (!this.#over) this.#arm();
  }

  /** Takes in what coordinators recorded, and that they are gone. */
  #gather(): void {
    for (const name of this.#dirty) this.#readCoordinator(name);
    this.#dirty.clear();
    for (const { name, coordinatorPid, refusal } of this.#ended.splice(0)) {
      this.#children.delete(coordinatorPid);
      this.#readCoordinator(name);
      const run = this.#progress.runs.get(name);
      if (!isLive(run) || run.coordinator_pid !== coordinatorPid) continue;
      this.#lose(run);
      if (refusal !== undefined) this.#refuse(name, refusal);
    }
    const now = this.#now();
    for (const run of this.#live()) {
      const adopted = !this.#children.has(run.coordinator_pid);
      if (adopted && !this.#isCoordinated(run)) {
        this.#readCoordinator(run.process);
        const last = this.#progress.runs.get(run.process);
        if (isLive(last)) this.#lose(last);
      } else if (run.state === 'FORKED' && now - run.fork_time > FORKED_SECONDS) {
        this.#lose(run);
      }
    }
  }

  /** Does the next thing that can be done now; false if there is none. */
  #act(): boolean {
    switch (this.#progress.status) {
      case 'ACTIVE':
        if (!this.#isHealthy() || this.#regular.complete) {
          this.#setStatus('CLEANING');
          this.#askToEnd();
          return true;
        }
        return this.#startRunnable(this.#regular);
      case 'CLEANING':
        if (this.#live().length === 0) {
          this.#setStatus('FINALIZING');
          this.#endEverything(-1);
        } else if (this.#now() < this.#deadline()) {
          return false;
        } else {
          this.#end();
        }
        return true;
      case 'FINALIZING': {
        const { complete, deadlocked } = this.#finalizing;
        if (!complete && !deadlocked && this.#now() < this.#deadline()) {
          return this.#startRunnable(this.#finalizing);
        }
        this.#end();
        return true;
      }
      default:
        return false;
    }
  }

  /** Sleeps until the next thing that comes by itself. */
  #arm(): void {
    clearTimeout(this.#timer);
    const now = this.#now();
    const at: number[] = [];
    const { status } = this.#progress;
    if (status === 'CLEANING' || status === 'FINALIZING') at.push(this.#deadline());
    const planner =
      status === 'ACTIVE' ? this.#regular : status === 'FINALIZING' ? this.#finalizing : undefined;
    const nextStart = planner?.nextStart(now);
    if (nextStart !== undefined) at.push(nextStart);
    if (this.#notNow.size > 0) at.push(now + RETRY_MS / 1000);
    for (const { state, fork_time, coordinator_pid } of this.#live()) {
      if (state === 'FORKED') at.push(fork_time + FORKED_SECONDS);
      if (!this.#children.has(coordinator_pid)) at.push(now + ADOPTED_MS / 1000);
    }
    if (at.length === 0) return;
    const wait = Math.max(1, Math.ceil((Math.min(...at) - now) * 1000));
    this.#timer = setTimeout(() => this.#schedule(), Math.min(wait, 2 ** 31 - 1));
  }

  #watch(): void {
    try {
      this.#watcher = watchNames(this.#opened.root.paths.directory, (file) => {
        if (!file.startsWith(COORDINATOR_PREFIX)) return;
        this.#dirty.add(file.slice(COORDINATOR_PREFIX.length));
        this.#schedule();
      });
    } catch {
      // No watches are left on this machine: that coordinators end is seen all the same, and the rest in time.
    }
  }

  #lookAround(): void {
    try {
      const now = this.#now();
      futimesSync(this.#opened.stream.fd, now, now);
    } catch {
      // Nothing depends on it here; writing a record will tell.
    }
    for (const { process } of this.#live()) this.#dirty.add(process);
    this.#schedule();
  }

  // Processes.

  #startRunnable(planner: Planner): boolean {
    const now = this.#now();
    const { max_concurrency } = this.task;
    let free = max_concurrency > 0 ? max_concurrency - planner.running.size : Number.POSITIVE_INFINITY;
    // A machine that starts hundreds of programs at once is slower than one that starts them in turn.
    const starting = this.#live().filter(({ state }) => state === 'FORKED').length;
    free = Math.min(free, Math.max(4, 2 * availableParallelism()) - starting, BATCH);
    let progressed = false;
    for (const name of planner.runnable(now)) {
      if (free <= 0) break;
      if (!this.#start(name)) continue;
      free -= 1;
      progressed = true;
    }
    if (progressed) this.#schedule();
    // What happened meanwhile comes first: `#step` is called again.
    return planner.complete || planner.deadlocked || !this.#isHealthy() ? progressed : false;
  }

  /** False if it is to be tried again. */
  #start(name: string): boolean {
    const planner = this.#planner(name) as Planner;
    let run = this.#progress.runs.get(name);
    if (run?.state !== 'WAITING') {
      this.#recordProcess({ seq: run === undefined ? 0 : run.seq + 1, process: name, state: 'WAITING' });
      run = this.#progress.runs.get(name) as Run;
    }
    const { place, root, account, userName } = this.#opened;
    let coordinatorPid: number;
    try {
      if (account === undefined) throw new Error(`there is no user ${userName} here`);
      if (!isDirectory(this.sandbox)) throw new Error(`${this.sandbox} is no directory`);
      if (this.#settings.chroot && presenceOf(`${this.sandbox}/bin/bash`) === 'absent') {
        throw new Error(`there is no /bin/bash in ${this.sandbox}, which is to be its /`);
      }
      const stream = root.paths.coordinator(name);
      if (stream === undefined) throw new Error('file name too long');
      coordinatorPid = launch({
        open: () => root.openCoordinator(name, account.uid),
        stream,
        job: this.#job(run, account),
        seq: run.seq + 1,
        taskId: place.taskId,
        program: this.#settings.coordinator,
        console: this.#settings.console,
        now: () => this.#now(),
        writer: this.#settings.writer ?? ((fd) => new CheckpointWriter(fd)),
        ended: (pid, refusal) => {
          this.#ended.push({ name, coordinatorPid: pid, refusal });
          this.#schedule();
        },
      });
    } catch (error) {
      if (error instanceof SystemError) throw error;
      const since = this.#notNow.get(name) ?? this.#now();
      if (error instanceof NotNow && this.#now() - since < RETRY_SECONDS) {
        this.#notNow.set(name, since);
        return false;
      }
      this.#notNow.delete(name);
      this.#problem(cannotStart(name, describeErrno(error)));
      this.#recordProcess({ seq: run.seq + 1, process: name, state: 'FAILED' });
      return true;
    }
    this.#notNow.delete(name);
    planner.start(name);
    this.#children.add(coordinatorPid);
    this.#readCoordinator(name);
    return true;
  }

  #job(run: Run, account: Account) {
    const { chroot, preserveEnv, logger, umask } = this.#settings;
    const process_ = this.#byName.get(run.process) as RunnableProcess;
    const home = chroot ? '/' : this.sandbox;
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries(preserveEnv ? process.env : {})) {
      if (value !== undefined) env[name] = value;
    }
    Object.assign(env, { HOME: home, LOGNAME: account.name, USER: account.name });
    if (process.env.PATH !== undefined) env.PATH = process.env.PATH;
    const profile = this.#profile(account);
    if (profile !== undefined) env.BASH_ENV = profile;
    const changes = account.uid !== process.geteuid?.();
    return {
      process: run.process,
      cmdline: process_.cmdline,
      cwd: this.sandbox,
      env,
      account: changes ? account : undefined,
      chroot: chroot ? this.sandbox : undefined,
      umask,
      logs: `${this.logDir}/${run.process}/${run.index}`,
      logger: { ...DEFAULT_LOGGER, ...logger, ...process_.logger },
    };
  }

  #profile({ uid }: Account): string | undefined {
    const found = profileOf(this.sandbox, uid, this.#settings.chroot);
    const code = 'profile-untrusted';
    if (found?.refusal !== undefined && !this.#problems.some((problem) => problem.code === code)) {
      const path = `${this.sandbox}/${PROFILE}`;
      const message = `${path} is not read, because others could have written it: ${found.refusal}`;
      const hint = found.remedy && `if it is right: ${found.remedy}`;
      this.#problem({ code, severity: 'warning', message, path, hint });
    }
    return found?.path;
  }

  /** Copies what is new in the stream of a process into the task's. */
  #readCoordinator(name: string): void {
    if (!this.#byName.has(name)) return;
    let lister = this.#listers.get(name);
    if (lister === undefined) {
      lister = new RecordLister((record) => {
        if (record.type !== 'process_status' || record.value.process !== name) return;
        if (!this.#progress.fits(record)) return;
        this.#record(record);
        const run = this.#progress.runs.get(name);
        if (!this.#asked || record.value.state !== 'RUNNING' || !isLive(run)) return;
        if (this.#progress.status === 'CLEANING') this.#told(this.#processes.terminateCommand(run));
      });
      this.#listers.set(name, lister);
    }
    const path = this.#opened.root.paths.coordinator(name);
    // A name that leads out of the directory has no stream.
    if (path === undefined) return;
    try {
      const reading = lister;
      this.#opened.root.useCoordinator(name, (file) => readStream(file, reading));
    } catch (error) {
      if (error instanceof SystemError || errnoOf(error) === undefined) throw error;
      if (errnoOf(error) === 'ENOENT') return;
      // Whatever is there in its place: the process has no last words, and its end is seen without them.
      if (this.#problems.some((problem) => problem.path === path)) return;
      this.#problem({ ...unreadableCheckpoint(path, error), process: name });
      return;
    }
    if (lister.damage?.kind !== 'damaged') return;
    const { offset, reason } = lister.damage;
    const message = `the stream of process ${JSON.stringify(name)} is damaged at byte ${offset}: ${reason}`;
    if (!this.#problems.some((problem) => problem.path === path)) {
      this.#problem({ code: 'checkpoint-damaged', severity: 'error', message, path, offset, process: name });
    }
    this.#listers.delete(name);
  }

  /** Is there still a coordinator that will record the end of a run that we didn't start? */
  #isCoordinated({ process, coordinator_pid, fork_time }: LiveRun): boolean {
    const known = this.#adopted.get(coordinator_pid);
    const row = processRow(coordinator_pid);
    const isAlive = row !== undefined && row.state !== 'Z';
    if (isAlive && row.startTimeTicks === known) return true;
    const host = Host.local();
    if (isAlive && known === undefined) {
      const { startTimeMs } = host.process(coordinator_pid) ?? {};
      if (startTimeMs !== undefined && Math.abs(startTimeMs - fork_time * 1000) < START_TOLERANCE_MS) {
        this.#adopted.set(coordinator_pid, row.startTimeTicks);
        return true;
      }
    }
    // One that was started in another pid namespace can't be seen, but its lock can.
    const stream = coordinatorStat(this.#opened.place, process);
    return stream !== undefined && host.isLocked(stream) === true;
  }

  #lose(run: LiveRun): void {
    this.#told(this.#processes.end([run]));
    this.#readCoordinator(run.process);
    const last = this.#progress.runs.get(run.process);
    if (isLive(last)) this.#recordProcess({ seq: last.seq + 1, process: run.process, state: 'LOST' });
  }

  /** A process whose coordinator says that it can't be started: the run was LOST, but no other will do better. */
  #refuse(name: string, reason: string): void {
    this.#problem(cannotStart(name, reason));
    const run = this.#progress.runs.get(name) as Run;
    if (this.#planner(name)?.state(name) !== 'ready' || this.#progress.status === 'CLEANING') return;
    this.#recordProcess({ seq: run.seq + 1, process: name, state: 'WAITING' });
    this.#recordProcess({ seq: run.seq + 2, process: name, state: 'FAILED' });
  }

  // The end.

  #carryOutKill(again: boolean): void {
    const { status } = this.#progress;
    if (status === undefined || isTerminalTaskState(status)) return;
    const { wait = PREEMPTION_WAIT_SECONDS, now } = this.#kill as KillRequest;
    // As the original, which takes control once more.
    if (again) this.#setStatus(status);
    if (now) {
      this.#endEverything(-9);
      this.#end();
      return;
    }
    this.#killDeadline = Math.min(this.#killDeadline ?? Number.POSITIVE_INFINITY, this.#now() + wait);
    if (status === 'ACTIVE') this.#setStatus('CLEANING');
    if (wait <= 0) this.#end();
    else if (this.#progress.status === 'CLEANING') this.#askToEnd();
  }

  /** SIGTERM to each running process and to what processes left behind. One that is just starting gets it then. */
  #askToEnd(): void {
    this.#asked = true;
    this.#told(this.#processes.terminate(this.#live(), this.#progress.traces));
  }

  /** SIGKILL to all that is the task's, and the records of the runs that it ends. */
  #endEverything(returnCode: number): void {
    const live = this.#live();
    const { alive, problems } = this.#processes.endAll(this.#progress.traces);
    this.#told(problems);
    for (const { process } of live) this.#readCoordinator(process);
    const ends: CheckpointRecord[] = [];
    for (const { process } of live) {
      const run = this.#progress.runs.get(process);
      if (!isLive(run)) continue;
      const seq = run.seq + 1;
      const isKilled = alive.has(run.coordinator_pid) || alive.has(run.pid as number);
      const value: ProcessStatus = isKilled
        ? { seq, process, state: 'KILLED', stop_time: this.#now(), return_code: returnCode }
        : { seq, process, state: 'LOST' };
      ends.push({ type: 'process_status', value });
    }
    this.#recordAll(ends);
  }

  #end(): void {
    const state = this.#terminalState();
    this.#setStatus(state);
    this.#endEverything(-1);
    moveTaskFile(this.#opened.place, this.#now() * 1000);
    this.#release();
    this.#settle?.resolve({ state, problems: this.#problems });
  }

  #terminalState(): TaskState {
    if (this.#kill !== undefined) return this.#kill.state;
    if (!this.#isHealthy()) return 'FAILED';
    // Healthy and yet not at its end: a runner before us was asked to kill it.
    return this.#regular.complete ? 'SUCCESS' : 'KILLED';
  }

  #isHealthy(): boolean {
    const { max_failures } = this.task;
    const { deadlocked, failed } = this.#regular;
    return !deadlocked && (max_failures === 0 || failed.size < max_failures);
  }

  /** Seconds since the epoch. */
  #deadline(): number {
    const since = this.#progress.cleaningSince;
    return (
      this.#killDeadline ?? (since === undefined ? this.#now() : since / 1000) + this.task.finalization_wait
    );
  }

  #fail(error: unknown): void {
    this.#release();
    this.#settle?.reject(error instanceof SystemError ? this.#resumable(error) : error);
  }

  #resumable({ code, message, hint, cause }: SystemError): SystemError {
    const goOn = `what runs goes on; with the same config and --task-id ${this.taskId}, thermos run takes it up again`;
    return new SystemError(code, message, hint ?? goOn, cause);
  }

  #release(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    clearInterval(this.#touch);
    this.#watcher?.close();
    if (this.#progress.header === undefined) this.#opened.takeBack();
    this.#opened.stream.close();
    this.#opened.root.close();
  }

  // Records.

  #setStatus(state: TaskState): void {
    const runner_uid = process.getuid?.() ?? 0;
    const timestamp_ms = Math.round(this.#now() * 1000);
    this.#record({
      type: 'task_status',
      value: { state, timestamp_ms, runner_pid: process.pid, runner_uid },
    });
  }

  #recordProcess(value: ProcessStatus): void {
    this.#record({ type: 'process_status', value });
  }

  #record(record: CheckpointRecord): void {
    this.#sink.append(record);
    this.#recorded(record);
  }

  /** Records of which none follows from another, in one write. */
  #recordAll(records: readonly CheckpointRecord[]): void {
    if (this.#sink.appendAll === undefined) {
      for (const record of records) this.#record(record);
      return;
    }
    this.#sink.appendAll(records);
    for (const record of records) this.#recorded(record);
  }

  #recorded(record: CheckpointRecord): void {
    const before =
      record.type === 'process_status' ? this.#progress.runs.get(record.value.process as string) : undefined;
    this.#follow(record, before, this.#progress.apply(record));
    this.#events.record?.(record);
  }

  /** A record of the past; `progress` is beyond it already. */
  #replan(record: CheckpointRecord): void {
    if (record.type !== 'process_status') return;
    const { process, state } = record.value;
    const planner = this.#planner(process as string);
    if (planner === undefined) return;
    const at = planner.state(process as string);
    if (at === 'ready' && (state === 'FORKED' || state === 'FAILED')) planner.start(process as string);
    else if (at !== 'running') return;
    const started = at === 'running';
    this.#plan(planner, record.value, started, record.value.stop_time ?? 0);
  }

  #follow({ type, value }: CheckpointRecord, before: Run | undefined, run: Run | undefined): void {
    if (type !== 'process_status' || run === undefined) return;
    const planner = this.#planner(run.process);
    if (planner === undefined) return;
    const state = planner.state(run.process);
    if (
      state === 'ready' &&
      (run.state === 'FORKED' || before?.state === 'WAITING') &&
      run.state !== 'WAITING'
    ) {
      planner.start(run.process);
    } else if (state !== 'running') return;
    this.#plan(planner, value, before?.state !== 'WAITING', value.stop_time ?? this.#now());
    if (planner.capped.has(run.process)) this.#problem(ranTooOften(run.process, planner.runs(run.process)));
  }

  #plan(planner: Planner, { process, state }: ProcessStatus, started: boolean, at: number): void {
    const name = process as string;
    if (state === 'SUCCESS') planner.succeed(name, at);
    else if (state === 'KILLED' || state === 'LOST') planner.lose(name, at);
    else if (state === 'FAILED' && started) planner.fail(name, at);
    else if (state === 'FAILED') planner.giveUp(name);
  }

  #planner(name: string): Planner | undefined {
    const process = this.#byName.get(name);
    if (process === undefined) return undefined;
    return process.final ? this.#finalizing : this.#regular;
  }

  #live(): LiveRun[] {
    return [...this.#progress.runs.values()].filter(isLive);
  }

  #now(): number {
    return this.#settings.now() / 1000;
  }

  #told(problems: readonly Problem[]): void {
    for (const problem of problems) this.#problem(problem);
  }

  #problem(problem: Problem): void {
    const told = { ...problem, task_id: this.taskId };
    this.#problems.push(told);
    this.#events.problem?.(told);
  }
}

function cannotStart(process: string, reason: string): Problem {
  const message = `process ${JSON.stringify(process)} can not be started: ${reason}`;
  return { code: 'process-not-started', severity: 'error', message, process };
}

function ranTooOften(process: string, runs: number): Problem {
  const message = `process ${JSON.stringify(process)} is not run again: it ran ${runs === 1 ? 'once' : `${runs} times`}`;
  const hint = 'how often a process may run at most, says --max-runs';
  return { code: 'process-run-cap', severity: 'warning', message, process, hint };
}

function moreUrgent(a: KillRequest, b: KillRequest): KillRequest {
  const wait = Math.min(a.wait ?? PREEMPTION_WAIT_SECONDS, b.wait ?? PREEMPTION_WAIT_SECONDS);
  return { state: a.state, wait, now: a.now === true || b.now === true };
}
