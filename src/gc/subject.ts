import type { Stats } from 'node:fs';
import { isTerminalTaskState } from '../checkpoint/records.js';
import type { RealPath } from '../discovery/relocate.js';
import type { FileIdentity } from '../host/file-identity.js';
import { accountGroups } from '../host/groups.js';
import type { Host } from '../host/host.js';
import { LAYOUTS, type LayoutName } from '../layout/layouts.js';
import { isName } from '../layout/names.js';
import { type Phase, rootPaths, SANDBOXES } from '../layout/root-paths.js';
import { pathsOf, RUNNER } from '../layout/task-paths.js';
import { statFile } from '../store/look.js';
import { findUntrusted, type PathOwner, pathOwner } from '../store/ownership.js';
import { namesBelow, parentOf } from '../store/paths.js';
import type { LocatedPath, TaskView } from '../task/view.js';
import { workDirOf } from './mesos.js';

/** Written before a task is collected for its space, so that an interrupted gc is finished whatever its remaining size. */
export const MARK = '.gc';

/** Writing a record sets both times of a stream, which differ by less than this on all file systems. */
const WRITTEN_MS = 2000;

/** The stats of a stream, without unneeded fields, because a plan holds one for each task. */
export interface PlannedStat extends FileIdentity {
  size: number;
  mtimeMs: number;
}

/** When a task ended, and the source of that time: its last status, else a file. */
export interface Finish {
  /** Milliseconds since the epoch. */
  at: number;
  by: 'status' | 'task-file' | 'stream-file';
}

/** The facts about a task that gc keeps while planning: few, because there may be 10,000 tasks. */
export interface Subject {
  task_id: string;
  /** Its identity for claims. */
  key: object;
  layout: LayoutName;
  phase: Phase;
  state: string;
  /** As found, and without links. */
  root: string;
  rootPath: string | undefined;
  runDir?: string;
  runDirPath?: string;
  /** Directories that the caller of gc named: the way to them may contain links. */
  bases: readonly string[];
  checkpointDir: string;
  /** The task file that was found, and all possible ones, the finished one last. */
  taskFile?: string;
  taskFiles: readonly string[];
  sandbox?: LocatedPath;
  recordedSandbox?: string;
  logDir?: LocatedPath;
  launchedAt?: number;
  finish: Finish;
  /** The task's user. */
  uid?: number;
  /** PROCESS/RUN of the last run of each process that ran and logs to files. */
  ran: readonly string[];
  runnerPid?: number;
  leftovers: readonly number[];
  /** The stream itself, not the target of a link: `odd` is not a regular file. */
  stream: PlannedStat | 'absent' | 'odd';
  /** The stream was changed in other ways than by writing: copied, restored, given to another user. */
  copied: boolean;
  locked: boolean | undefined;
  marked: boolean;
  /** Why nothing may be deleted based on the header, if so. */
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

/** A task without an active task file is finished if its state is terminal. */
function phaseOf(view: TaskView): Phase {
  return isTerminalTaskState(view.state) ? 'finished' : view.found.phase;
}

/** The time in the stream, as in `status`; without one, that of the task file, which was moved then. */
function finishOf(view: TaskView): Finish {
  const at = numberOf(view.state_timestamp_ms);
  if (at !== undefined && isTerminalTaskState(view.state)) return { at, by: 'status' };
  const { task_file, phase } = view.found;
  const moved = phase === 'finished' && task_file !== undefined ? lstat(task_file) : undefined;
  if (moved !== undefined) return { at: moved.mtimeMs, by: 'task-file' };
  return { at: view.silent_since_ms ?? 0, by: 'stream-file' };
}

/** The task file determines which processes have no log files. */
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
 * The paths of sandbox and logs. In a copy of a root the headers name the sandboxes of the original, which may still
 * exist: a gc of the copy must use the sandboxes that were copied with it.
 */
function ownPlaces(
  { header, root, task_id, sandbox, log_dir }: TaskView,
  real: RealPath,
): { sandbox?: LocatedPath; logDir?: LocatedPath } {
  const recorded = header?.sandbox;
  const isNamedSo = recorded?.endsWith(`/${SANDBOXES}/${task_id}`) === true && sandbox?.path === recorded;
  if (!LAYOUTS[root.layout].holdsSandboxes || recorded === undefined || !isNamedSo)
    return { sandbox, logDir: log_dir };
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

/** Fills in the properties of the stream's file; only for tasks that gc may act on. */
export function lookAtStream(subject: Subject, host: Host, owners: DirectoryOwners): void {
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
  const pathOwners = [pathOwner(`${checkpointDir}/${RUNNER}`, stat)];
  if (directory !== undefined) pathOwners.push(pathOwner(checkpointDir, directory));
  for (const each of around) if (each) pathOwners.push(each);
  const uids = new Set(pathOwners.map(({ uid }) => uid));
  subject.authors = [...uids].filter((uid) => uid !== 0);
  // Their owners are already authors; the question is who else may write.
  const stranger = host.euid === 0 ? findUntrusted(pathOwners, uids, owners.groups) : undefined;
  if (stranger !== undefined) subject.headerFlaw ??= `${stranger.path} ${stranger.what}`;
}

function streamStat({ dev, ino, size, mtimeMs }: Stats): PlannedStat {
  return { dev, ino, size, mtimeMs };
}

/**
 * Caches the directories that many tasks have in common: their owners may have written the header, too. Since Aurora
 * 0.21, the run directory of an executor belongs to its task's user.
 */
export class DirectoryOwners {
  readonly groups = accountGroups();
  readonly #found = new Map<string, PathOwner | undefined>();

  of(path: string): PathOwner | undefined {
    if (!this.#found.has(path)) {
      const stat = lstat(path);
      this.#found.set(path, stat && pathOwner(path, stat));
    }
    return this.#found.get(path);
  }
}

export interface Silence {
  /** `quiet`: without a runner, but not for long enough. `unknown`: the runner's state cannot be determined. */
  state: 'alive' | 'quiet' | 'silent' | 'unknown';
  /** Milliseconds since the epoch. */
  since: number;
}

/**
 * Has an active task been without a runner for longer than the age? The lock decides; a live runner touches its stream
 * every few seconds, so the time of the stream shows when it died.
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

/** Undefined if it does not exist or is not accessible. */
export function lstat(path: string): Stats | undefined {
  try {
    return statFile(path);
  } catch {
    return undefined;
  }
}
