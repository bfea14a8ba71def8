import { lstatSync, type Stats } from 'node:fs';
import { isTerminalTaskState } from '../checkpoint/records.js';
import type { RealPath } from '../discovery/relocate.js';
import { authorsOf } from '../host/authors.js';
import type { Host } from '../host/host.js';
import type { LayoutName } from '../layout/layouts.js';
import type { Phase } from '../layout/root-paths.js';
import { parentOf } from '../store/paths.js';
import type { Place, TaskView } from '../task/view.js';
import { workDirOf } from './mesos.js';
import type { Identity } from './tree.js';

/** Written before a task is collected for its space: an interrupted gc is finished whatever is left of it. */
export const MARK = '.gc';

/** What `stat` says of a stream. Not all of it: a plan holds one of each task. */
export interface StreamStat extends Identity {
  size: number;
  mtimeMs: number;
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
  sandbox?: Place;
  recordedSandbox?: string;
  logDir?: Place;
  launchedAt?: number;
  finishedAt: number;
  runnerPid?: number;
  leftovers: readonly number[];
  /** The stream, by its own name: `odd` is no regular file. */
  stream: StreamStat | 'absent' | 'odd';
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
  const active = `${root.path}/tasks/active/${task_id}`;
  const finished = `${root.path}/tasks/finished/${task_id}`;
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
    sandbox: view.sandbox,
    recordedSandbox: view.header?.sandbox,
    logDir: view.log_dir,
    launchedAt: numberOf(view.launch_time_ms),
    finishedAt: finishTime(view),
    runnerPid: view.runner?.pid,
    leftovers: view.leftovers,
    stream: 'absent',
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

/** The task file is moved, and touched, when the task ends; without one the stream tells. */
function finishTime(view: TaskView): number {
  const { task_file, phase } = view.found;
  const moved = phase === 'finished' && task_file !== undefined ? lstat(task_file) : undefined;
  return moved?.mtimeMs ?? numberOf(view.state_timestamp_ms) ?? view.silent_since_ms ?? 0;
}

function numberOf(value: number | bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** Fills in what the stream's file says; only for tasks that something may be done to. */
export function lookAtStream(subject: Subject, host: Host): void {
  const stat = lstat(`${subject.checkpointDir}/runner`);
  subject.stream = stat === undefined ? 'absent' : stat.isFile() ? streamStat(stat) : 'odd';
  subject.marked = lstat(`${subject.checkpointDir}/${MARK}`) !== undefined;
  if (lstat(subject.checkpointDir)?.isSymbolicLink())
    subject.headerFlaw = 'its checkpoint directory is a link';
  if (subject.stream === 'odd') subject.headerFlaw = 'its stream is no regular file';
  if (stat === undefined || typeof subject.stream === 'string') return;
  subject.locked = host.isLocked(stat);
  if (stat.nlink !== 1) subject.headerFlaw = 'its stream has another name, maybe that of another task';
  subject.authors = streamAuthors(subject);
}

function streamStat({ dev, ino, size, mtimeMs }: Stats): StreamStat {
  return { dev, ino, size, mtimeMs };
}

/** The run directory of an executor is its task's user's since Aurora 0.21. */
function streamAuthors({ checkpointDir, rootPath, runDirPath }: Subject): number[] {
  const around = [checkpointDir, parentOf(checkpointDir), rootPath, runDirPath];
  return authorsOf([`${checkpointDir}/runner`, ...around.filter((path) => path !== undefined)]);
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

/** Why no runner can go on with the stream and nobody can end it properly, if so. */
export function streamFlaw({ stream, headless, damaged }: Subject): string | undefined {
  if (stream === 'absent') return 'it has no stream';
  if (stream === 'odd') return 'its stream is no regular file';
  if (damaged) return 'its stream is corrupt';
  return headless ? 'its stream has no header' : undefined;
}

export function lstat(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
