import type { Stats } from 'node:fs';
import { isTerminalTaskState } from '../checkpoint/records.js';
import type { RealPath } from '../discovery/relocate.js';
import type { FileIdentity } from '../host/file-identity.js';
import { accountGroups } from '../host/groups.js';
import type { Host } from '../host/host.js';
import type { LayoutName } from '../layout/layouts.js';
import { isName } from '../layout/names.js';
import { type Phase, rootPaths, SANDBOXES } from '../layout/root-paths.js';
import { pathsOf, RUNNER } from '../layout/task-paths.js';
import { statFile } from '../store/look.js';
import { namesBelow, parentOf } from '../store/paths.js';
import { findStranger, type Witness, witness } from '../store/witnesses.js';
import type { LocatedPath, TaskView } from '../task/view.js';
import { workDirOf } from './mesos.js';

/** Written before a task is collected for its space: an interrupted gc is finished whatever is left of it. */
export const MARK = '.gc';

/** A record that is written sets both times of a stream at once, on all file systems to less than this. */
const WRITTEN_MS = 2000;

/** What `stat` says of a stream. Not all of it: a plan holds one of each task. */
export interface PlannedStat extends FileIdentity {
  size: number;
  mtimeMs: number;
}

/** When a task ended, and what says so: its last status, else the time of a file. */
export interface Finish {
  /** Milliseconds since the epoch. */
  at: number;
  by: 'status' | 'task-file' | 'stream-file';
}

/** What gc keeps of a task while it plans: of 10,000 tasks, the little that matters. */
export interface Subject {
  task_id: string;
  /** Of claims: its identity. */
  key: object;
  layout: LayoutName;
  phase: Phase;
  state: string;
  /** As found, and without links. */
  root: string;
  rootPath: string | undefined;
  runDir?: string;
  runDirPath?: string;
  /** Places that the caller of gc named himself: the way there may hold links. */
  bases: readonly string[];
  checkpointDir: string;
  /** Where it was found, and all places where there may be one, the finished one last. */
  taskFile?: string;
  taskFiles: readonly string[];
  sandbox?: LocatedPath;
  recordedSandbox?: string;
  logDir?: LocatedPath;
  launchedAt?: number;
  finish: Finish;
  /** The task's user. */
  uid?: number;
  /** PROCESS/RUN of each process that ran and has its logs in files, its last run. */
  ran: readonly string[];
  runnerPid?: number;
  leftovers: readonly number[];
  /** The stream, by its own name: `odd` is no regular file. */
  stream: PlannedStat | 'absent' | 'odd';
  /** The stream was changed otherwise than by writing to it: copied, restored, given to another user. */
  copied: boolean;
  locked: boolean | undefined;
  marked: boolean;
  /** Why the header says nothing that may be deleted by, if so. */
  headerFlaw?: string;
  /** Users other than root who may have written the header. */
  authors: readonly number[];
  damaged: boolean;
  headless: boolean;
}

export function subjectOf(view: TaskView, real: RealPath): Subject {
  const { found, task_id, root } = view;
  const { run_dir } = root;
  const workDir = run_dir === undefined ? undefined : (workDirOf(run_dir) ?? run_dir);
  const beside = parentOf(root.path);
  const hostBases = beside === '/' ? [root.path] : [root.path, beside];
  const { task_file, phase } = found;
  const { active, finished } = pathsOf({ root: root.path, taskId: task_id });
  const places = ownPlaces(view, real);
  const twice = view.problems.some(({ code }) => code === 'task-file-twice');
  const unmoved = task_file !== undefined && phase === 'active';
  return {
    task_id,
    key: found,
    layout: root.layout,
    phase: found.phase === 'active' && found.task_file !== undefined ? view.phase : phaseOf(view),
    state: String(view.state),
    root: root.path,
    rootPath: real(root.path),
    runDir: run_dir,
    runDirPath: run_dir === undefined ? undefined : real(run_dir),
    bases: workDir === undefined ? hostBases : [workDir],
    checkpointDir: found.checkpoint_dir,
    taskFile: task_file,
    taskFiles: twice || unmoved ? [active, finished] : [finished],
    sandbox: places.sandbox,
    recordedSandbox: view.header?.sandbox,
    logDir: places.logDir,
    launchedAt: numberOf(view.launch_time_ms),
    finish: finishOf(view),
    uid: view.header?.uid,
    ran: ranProcesses(view),
    runnerPid: view.runner?.pid,
    leftovers: view.leftovers,
    stream: 'absent',
    copied: false,
    locked: undefined,
    marked: false,
    headerFlaw: headerFlaw(view),
    authors: [],
    damaged: view.problems.some(({ code }) => code === 'checkpoint-damaged' || code === 'checkpoint-sparse'),
    headless: view.header === null,
  };
}

function headerFlaw({ header, task_id }: TaskView): string | undefined {
  const named = header?.task_id;
  return named === undefined || named === task_id ? undefined : `its header is that of task ${named}`;
}

/** A task without a task file is over if its stream says so. */
function phaseOf(view: TaskView): Phase {
  return isTerminalTaskState(view.state) ? 'finished' : view.found.phase;
}

/** The stream says when, as it does in `status`; where it says nothing, the file that was moved then. */
function finishOf(view: TaskView): Finish {
  const at = numberOf(view.state_timestamp_ms);
  if (at !== undefined && isTerminalTaskState(view.state)) return { at, by: 'status' };
  const { task_file, phase } = view.found;
  const moved = phase === 'finished' && task_file !== undefined ? lstat(task_file) : undefined;
  if (moved !== undefined) return { at: moved.mtimeMs, by: 'task-file' };
  return { at: view.silent_since_ms ?? 0, by: 'stream-file' };
}

/** Whose logs are written elsewhere, or not at all, says the task file. */
function ranProcesses({ processes, config }: TaskView): string[] {
  const elsewhere = new Set<string>();
  for (const { name, log_destination } of config?.processes ?? []) {
    if (log_destination === 'none' || log_destination === 'console') elsewhere.add(name);
  }
  const ran: string[] = [];
  for (const { process, runs, start_time } of processes) {
    // A run that never started may have left no logs.
    const run = start_time === undefined ? runs - 2 : runs - 1;
    if (run >= 0 && isName(process) && !elsewhere.has(process)) ran.push(`${process}/${run}`);
  }
  return ran;
}

/**
 * Where sandbox and logs are. In a copy of a root the headers name the sandboxes of the original, which may still
 * be there: who collects the copy means those that were copied with it.
 */
function ownPlaces(
  { header, root, task_id, sandbox, log_dir }: TaskView,
  real: RealPath,
): { sandbox?: LocatedPath; logDir?: LocatedPath } {
  const recorded = header?.sandbox;
  const isNamedSo = recorded?.endsWith(`/${SANDBOXES}/${task_id}`) === true && sandbox?.path === recorded;
  if (root.layout !== 'host' || recorded === undefined || !isNamedSo) return { sandbox, logDir: log_dir };
  const beside = parentOf(root.path);
  for (const around of beside === '/' ? [root.path] : [root.path, beside]) {
    const path = `${rootPaths(around).sandboxes}/${task_id}`;
    const own = path === recorded ? undefined : real(path);
    if (own === undefined || own === real(recorded)) continue;
    const rest = log_dir && namesBelow(log_dir.recorded, recorded);
    const logs = rest && [path, ...rest].join('/');
    const logDir =
      log_dir && logs ? { path: logs, recorded: log_dir.recorded, found: real(logs) !== undefined } : log_dir;
    return { sandbox: { path, recorded, found: true }, logDir };
  }
  return { sandbox, logDir: log_dir };
}

function numberOf(value: number | bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** Fills in what the stream's file says; only for tasks that something may be done to. */
export function lookAtStream(subject: Subject, host: Host, owners: Owners): void {
  const stat = lstat(`${subject.checkpointDir}/${RUNNER}`);
  subject.stream = stat === undefined ? 'absent' : stat.isFile() ? streamStat(stat) : 'odd';
  subject.marked = lstat(`${subject.checkpointDir}/${MARK}`) !== undefined;
  const directory = lstat(subject.checkpointDir);
  if (directory?.isSymbolicLink()) subject.headerFlaw = 'its checkpoint directory is a link';
  if (subject.stream === 'odd') subject.headerFlaw = 'its stream is not a regular file';
  if (stat === undefined || typeof subject.stream === 'string') return;
  subject.copied = Math.abs(stat.ctimeMs - stat.mtimeMs) > WRITTEN_MS;
  subject.locked = host.isLocked(stat);
  if (stat.nlink !== 1) subject.headerFlaw = 'its stream has another name, which may belong to another task';
  const { checkpointDir, rootPath, runDirPath } = subject;
  const around = [parentOf(checkpointDir), rootPath, runDirPath].flatMap((path) => path && owners.of(path));
  const witnesses = [witness(`${checkpointDir}/${RUNNER}`, stat)];
  if (directory !== undefined) witnesses.push(witness(checkpointDir, directory));
  for (const each of around) if (each) witnesses.push(each);
  const uids = new Set(witnesses.map(({ uid }) => uid));
  subject.authors = [...uids].filter((uid) => uid !== 0);
  // Their owners are known by now: what is asked is who else may write.
  const stranger = host.euid === 0 ? findStranger(witnesses, uids, owners.groups) : undefined;
  if (stranger !== undefined) subject.headerFlaw ??= `${stranger.path} ${stranger.what}`;
}

function streamStat({ dev, ino, size, mtimeMs }: Stats): PlannedStat {
  return { dev, ino, size, mtimeMs };
}

/**
 * The directories that many tasks have in common, looked at once: they too say who may have written the header. The run
 * directory of an executor is its task's user's since Aurora 0.21.
 */
export class Owners {
  readonly groups = accountGroups();
  readonly #found = new Map<string, Witness | undefined>();

  of(path: string): Witness | undefined {
    if (!this.#found.has(path)) {
      const stat = lstat(path);
      this.#found.set(path, stat && witness(path, stat));
    }
    return this.#found.get(path);
  }
}

export interface Silence {
  /** `quiet`: without a runner, but not long enough. `unknown`: nothing can be said of the runner. */
  state: 'alive' | 'quiet' | 'silent' | 'unknown';
  /** Milliseconds since the epoch. */
  since: number;
}

/**
 * Is an active task without a runner for longer than the age? The lock decides; a live runner touches its
 * stream every few seconds, so the stream's time says since when there is none.
 */
export function silenceOf(
  subject: Subject,
  alive: boolean | null | undefined,
  now: number,
  age: number | undefined,
): Silence {
  const { stream, checkpointDir, taskFile, locked } = subject;
  let since = typeof stream === 'string' ? 0 : stream.mtimeMs;
  if (since === 0) {
    for (const path of [checkpointDir, taskFile]) {
      since = Math.max(since, path === undefined ? 0 : (lstat(path)?.mtimeMs ?? 0));
    }
  }
  if (locked === true || alive === true) return { state: 'alive', since };
  if (alive === null && typeof stream !== 'string') return { state: 'unknown', since };
  if (age === undefined || now - since <= age) return { state: 'quiet', since };
  return { state: 'silent', since };
}

/** What is there; undefined also for what we may not look at. */
export function lstat(path: string): Stats | undefined {
  try {
    return statFile(path);
  } catch {
    return undefined;
  }
}
