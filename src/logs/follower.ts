import { EXIT } from '../errors/exit-codes.js';
import type { Stream } from '../layout/log-paths.js';
import { isName } from '../layout/names.js';
import type { Changes } from '../task/changes.js';
import type { Awaitable } from '../task/gatherer.js';
import { within } from '../task/patience.js';
import { type LogCandidate, mayGoOn } from './candidate.js';
import { type RunChoice, selectsProcess } from './choose.js';
import { byStart, type Log, logsOf } from './log.js';
import { type LogPrinter, type LogShell, type OpenLog, startInOrder } from './log-printer.js';
import type { LogTree } from './log-tree.js';
import type { ProcessLogs, TaskLogSource, TaskLogs } from './task-logs.js';

export interface FollowShell extends LogShell {
  /** From now on signals end a pause. Until then they can interrupt a writer whose output nobody reads. */
  catchSignals(): void;
  /** Resolves to undefined when the promise resolves, or to a signal's exit code when the signal comes. */
  pause(until: Promise<void>): Promise<number | undefined>;
  /** Resolves to that exit code when a signal has come: then a late answer is not awaited. */
  signalled: Promise<number>;
  /** True if nobody can read stdout any more. */
  outputClosed(): boolean;
  /** Milliseconds from a fixed point. */
  now(): number;
  /** Reports changes in the logs and their tasks. The follower closes it at the end. */
  changes: Changes;
}

export interface FollowOptions {
  processes: readonly string[];
  runs: RunChoice;
  streams: readonly Stream[];
  lines: number | undefined;
  /** When to stop, by the clock of the shell; undefined: when nothing more can come. */
  stopAt?: number;
  /** Gives the tasks that appeared since it was called last; undefined: none can. */
  newTasks?: () => Awaitable<readonly TaskLogSource[]>;
}

/** The state of a task is read again after this time at the latest, because a runner that dies changes no file. */
const TASK_READ_MS = 1000;
/** … and no sooner than this many times the duration of the last read, because streams can be long. */
const REST = 5;
/** What takes longer, on a host that does not answer, does not keep the logs of others waiting. */
const PATIENCE_MS = 1000;

/** A process whose logs are printed as they grow. */
interface FollowedProcess {
  process: ProcessLogs;
  /** The run that is being printed; -1 before the first. */
  run: number;
  colour: number;
  open: OpenLog[];
}

interface FollowedTask {
  source: TaskLogSource;
  task: TaskLogs;
  /** By name. */
  processes: Map<string, FollowedProcess>;
  /** Appeared while others were followed: all that it wrote is new. */
  isNew: boolean;
  /** The latest and the earliest time to read it again. */
  due: number;
  notBefore: number;
  isBeingRead: boolean;
  /** It was read, and its processes are not looked at yet. */
  isFresh: boolean;
}

/** Prints what is added to logs, from one run of a process to the next, until they can't grow any more. */
export class Follower {
  readonly #options: FollowOptions;
  readonly #printer: LogPrinter;
  readonly #shell: FollowShell;
  readonly #watcher: Changes;
  /** Those that appear are added. */
  readonly #tasks: FollowedTask[];
  /** Logs with more to print. */
  readonly #behind = new Set<OpenLog>();
  #colours: number;
  /** The trees of which logs are just being read: a log is read by one at a time. */
  readonly #busy = new Map<LogTree, Promise<void>>();
  /** When to search for new tasks. */
  #searchDue = 0;
  /** A search that is not over: whether it finds any. */
  #search: Promise<boolean> | undefined;
  /** Why something in the background failed. */
  #failure: unknown;

  constructor(
    tasks: readonly { source: TaskLogSource; task: TaskLogs }[],
    options: FollowOptions,
    printer: LogPrinter,
    shell: FollowShell,
  ) {
    this.#options = options;
    this.#printer = printer;
    this.#shell = shell;
    this.#watcher = shell.changes;
    this.#tasks = tasks.map(({ source, task }) => followedTask(source, task, shell.now(), false));
    this.#searchDue = shell.now() + TASK_READ_MS;
    this.#colours = 0;
  }

  /** Prints the last lines, then new output. Resolves to the exit code: 0, or that of the signal that ended it. */
  async run(candidates: readonly LogCandidate[]): Promise<number> {
    const following = this.#follow(candidates);
    const exitCode = await Promise.race([following, this.#shell.signalled]);
    this.#printer.stop();
    return exitCode;
  }

  async #follow(candidates: readonly LogCandidate[]): Promise<number> {
    try {
      await this.#start(candidates);
      this.#shell.catchSignals();
      for (;;) {
        if (this.#shell.now() >= this.#searchDue) await within(this.#findTasks(), PATIENCE_MS);
        await this.#readTasks();
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#tasks.every((task) => this.#isOver(task))) {
          // One that replaces another may have come since the last search.
          await this.#search;
          if (!(await this.#findTasks())) return await this.#end();
          continue;
        }
        if (this.#shell.now() >= this.#stopAt) return await this.#end();
        this.#watch();
        const changes = this.#canGoOn() ? soon() : this.#watcher.changes(this.#untilDue());
        const signal = await this.#shell.pause(changes);
        if (signal !== undefined) return signal;
        if (this.#shell.outputClosed()) return EXIT.ok;
        await this.#advance(this.#watcher.take());
      }
    } finally {
      this.#watcher.close();
      for (const { open } of this.#followed()) for (const log of open) log.close();
    }
  }

  async #start(candidates: readonly LogCandidate[]): Promise<void> {
    this.#colours = candidates.length;
    const owners = new Map<Log, FollowedProcess>();
    const wanted: Log[] = [];
    for (const { task, process, runs, logs, present, goesOn, colour } of candidates) {
      const followed: FollowedProcess = { process, run: runs.at(-1) ?? -1, colour, open: [] };
      this.#tasks.find((each) => each.task === task)?.processes.set(process.process, followed);
      for (const each of goesOn ? logs : present) wanted.push(each);
      if (!goesOn) continue;
      for (const log of logs) if (log.source.run === followed.run) owners.set(log, followed);
    }
    const opened = byStart(wanted).map((log) => ({ open: this.#printer.open(log), owner: owners.get(log) }));
    for (const { open, owner } of opened) owner?.open.push(open);
    const starts = opened.map(({ open, owner }) => ({ open, follow: owner !== undefined }));
    await startInOrder(starts, this.#options.lines);
    this.#printer.arriving = true;
    if (this.#printer.shown === 0 && this.#options.lines !== 0) {
      const { found, searched } = this.#printer;
      this.#shell.event({ kind: 'waiting', logs: found > 0, lines: searched > 0 });
    }
  }

  get #stopAt(): number {
    return this.#options.stopAt ?? Number.POSITIVE_INFINITY;
  }

  /** Follows the tasks that appeared, too. Resolves to whether there are any. Never rejects. */
  #findTasks(): Promise<boolean> {
    this.#search ??= this.#newTasks()
      .catch((error) => {
        this.#failure ??= error;
        return false;
      })
      .finally(() => {
        this.#search = undefined;
        this.#searchDue = this.#shell.now() + TASK_READ_MS;
      });
    return this.#search;
  }

  async #newTasks(): Promise<boolean> {
    const sources = (await this.#options.newTasks?.()) ?? [];
    for (const source of sources) {
      const task = await source.read();
      this.#tasks.push(followedTask(source, task, this.#shell.now(), true));
      this.#shell.event({ kind: 'new-task', task_id: task.task_id });
      for (const problem of task.problems) this.#shell.report({ ...problem, severity: 'warning' });
    }
    return sources.length > 0;
  }

  #followed(): FollowedProcess[] {
    return this.#tasks.flatMap(({ processes }) => [...processes.values()]);
  }

  #isDue({ due, notBefore, isBeingRead }: FollowedTask): boolean {
    if (isBeingRead) return false;
    const now = this.#shell.now();
    return now >= due && now >= notBefore;
  }

  #untilDue(): number {
    const isSearched = this.#options.newTasks !== undefined && this.#search === undefined;
    let next = isSearched ? Math.min(this.#stopAt, this.#searchDue) : this.#stopAt;
    for (const { due, notBefore, isBeingRead } of this.#tasks)
      if (!isBeingRead) next = Math.min(next, Math.max(due, notBefore));
    return Math.max(1, next - this.#shell.now());
  }

  /** Reads the tasks for which it is time, and looks at the processes of those that have been read. */
  async #readTasks(): Promise<void> {
    const readings = this.#tasks.filter((task) => this.#isDue(task)).map((task) => this.#readTask(task));
    if (readings.length > 0) await within(Promise.all(readings), PATIENCE_MS);
    for (const task of this.#tasks) {
      if (!task.isFresh) continue;
      task.isFresh = false;
      const known = task.task.processes.some(({ started }) => started > 0);
      // A task that can't be read now, or was collected, has no processes; its open logs stay open.
      if (!known) continue;
      for (const process of task.task.processes) await this.#updateProcess(task, process);
    }
  }

  /** Never rejects. */
  async #readTask(task: FollowedTask): Promise<void> {
    const before = this.#shell.now();
    task.isBeingRead = true;
    try {
      task.task = await task.source.read();
      task.isFresh = true;
    } catch (error) {
      this.#failure ??= error;
    }
    task.isBeingRead = false;
    const after = this.#shell.now();
    task.notBefore = after + REST * (after - before);
    task.due = after + TASK_READ_MS;
  }

  async #updateProcess(task: FollowedTask, process: ProcessLogs): Promise<void> {
    const name = process.process;
    let followed = task.processes.get(name);
    if (followed === undefined) {
      const { processes } = this.#options;
      if (!isName(name) || !(task.isNew ? selectsProcess(processes, name) : processes.length === 0)) return;
      followed = { process, run: -1, colour: this.#colours++, open: [] };
      task.processes.set(name, followed);
    }
    followed.process = process;
    const { streams, runs } = this.#options;
    while (typeof runs === 'string' && followed.run < process.started - 1) {
      await this.#finish(followed);
      const { run } = followed;
      const { state, return_code } = process.runs[run] ?? {};
      if (run >= 0)
        this.#shell.event({
          kind: 'restart',
          task_id: task.task.task_id,
          process: name,
          run,
          state,
          return_code,
        });
      followed.run += 1;
      for (const log of logsOf(task.task, process, followed.run, streams, followed.colour)) {
        const open = this.#printer.open(log);
        followed.open.push(open);
        await open.start(undefined, true);
      }
    }
    if (!mayGoOn(task.task, process, runs)) await this.#finish(followed);
  }

  #isOver({ task, processes }: FollowedTask): boolean {
    if (task.done) return true;
    if (this.#options.processes.length === 0 && typeof this.#options.runs === 'string') return false;
    return [...processes.values()].every(({ process }) => !mayGoOn(task, process, this.#options.runs));
  }

  async #end(): Promise<number> {
    for (const followed of this.#followed()) await this.#finish(followed);
    for (const { task, processes } of this.#tasks) {
      const { task_id, state } = task;
      if (this.#options.processes.length === 0) {
        this.#shell.event({ kind: 'end', task_id, state });
        continue;
      }
      for (const { process, run } of processes.values()) {
        const ended = process.runs[run]?.state ?? 'WAITING';
        this.#shell.event({ kind: 'end', task_id, state: ended, process: process.process });
      }
    }
    return EXIT.ok;
  }

  async #finish(followed: FollowedProcess): Promise<void> {
    for (const log of followed.open) {
      await this.#busy.get(log.log.log_dir.tree);
      await log.finish();
      this.#behind.delete(log);
      this.#watcher.unwatch(log.log.directory);
    }
    followed.open = [];
  }

  #watch(): void {
    for (const { source } of this.#tasks) this.#watcher.watch(source.watched);
    for (const { open } of this.#followed())
      for (const { log } of open) this.#watcher.watch(log.directory, 2);
  }

  /** Reads the logs that changed; all of them if it isn't known which. Those of one tree in turn, those of others at once. */
  async #advance(changed: ReadonlySet<string>): Promise<void> {
    for (const task of this.#tasks) if (changed.has(task.source.watched)) task.due = 0;
    const before = this.#printer.printed;
    const announced = changed.size > 0 || this.#behind.size > 0;
    const due = new Map<LogTree, OpenLog[]>();
    for (const { open } of this.#followed()) {
      for (const log of open) {
        const { directory, log_dir } = log.log;
        const isUnchanged = changed.size > 0 && this.#watcher.watches(directory) && !changed.has(directory);
        if (isUnchanged && !this.#behind.has(log)) continue;
        // Until it is read, also if its turn comes later.
        this.#behind.add(log);
        if (this.#busy.has(log_dir.tree)) continue;
        const logs = due.get(log_dir.tree) ?? [];
        due.set(log_dir.tree, logs);
        logs.push(log);
      }
    }
    const reading = [...due].map(([tree, logs]) => this.#read(tree, logs, changed.size === 0));
    if (reading.length === 1 && this.#busy.size === 1) await reading[0];
    else if (reading.length > 0) await within(Promise.all(reading), PATIENCE_MS);
    if (this.#failure !== undefined) throw this.#failure;
    this.#watcher.found(this.#printer.printed > before, announced);
  }

  /** Never rejects. */
  #read(tree: LogTree, logs: readonly OpenLog[], all: boolean): Promise<void> {
    const read = async () => {
      for (const log of logs) {
        if (await log.advance()) this.#behind.delete(log);
        if (all) await log.forgetDeleted();
      }
    };
    const reading = read()
      .catch((error) => {
        this.#failure ??= error;
      })
      .finally(() => this.#busy.delete(tree));
    this.#busy.set(tree, reading);
    return reading;
  }

  /** Whether there is more to read at once. */
  #canGoOn(): boolean {
    for (const { log } of this.#behind) if (!this.#busy.has(log.log_dir.tree)) return true;
    return false;
  }
}

function followedTask(source: TaskLogSource, task: TaskLogs, now: number, isNew: boolean): FollowedTask {
  const times = { due: now, notBefore: now, isBeingRead: false, isFresh: false };
  return { source, task, processes: new Map(), isNew, ...times };
}

/** Resolves in a later turn of the event loop, so that signals are handled first. */
function soon(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
