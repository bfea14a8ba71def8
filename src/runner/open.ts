import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { RecordLister } from '../checkpoint/follow.js';
import { readStream } from '../checkpoint/reader.js';
import { type CheckpointRecord, isTerminalTaskState, type RunnerHeader } from '../checkpoint/records.js';
import { type PlanFault, planOf } from '../config/planner.js';
import { describeErrno, errnoOf, NotFoundError, SystemError, UsageError } from '../errors/errors.js';
import { type Account, findAccount } from '../host/account.js';
import { tryLock } from '../host/flock.js';
import { Host } from '../host/host.js';
import { makeDirectory } from '../host/make-directory.js';
import { OPEN_TO_ALL, underUmask } from '../host/umask.js';
import { type Paths, type Place, pathsOf } from '../layout/task-paths.js';
import { distrust } from '../lifecycle/trust.js';
import { OpenFile } from '../store/open-file.js';
import { shellArguments } from '../text/shell.js';
import type { NewTask, RunSettings } from './api.js';
import { Progress } from './progress.js';
import { isSameTask, type RunnableTask, runnableTask, taskFileText } from './task-document.js';
import { finishOnDisk, type OpenedTask } from './task-runner.js';

/** Opens a task to be run, new or again. See `openTask`. */
export function open(spec: NewTask, settings: RunSettings): OpenedTask {
  const paths = pathsOf(spec);
  checkPlans(spec.task);
  const user = accountFor(spec.user ?? spec.task.user);
  checkSettings(settings, user);
  if (existsSync(paths.finished) && !existsSync(paths.active)) throw finished(spec.taskId);
  // In this order: a root that can't be written is no fault of a sandbox in it, and no sandbox no trace of a task.
  makeRoot(spec.root, [`${spec.root}/tasks/active`, `${spec.root}/tasks/finished`]);
  makeSandbox(spec.sandbox, user);
  const logDir = spec.logDir ?? `${spec.sandbox}/.logs`;
  const start = new Start(spec, paths);
  const { fd } = start;
  try {
    const stream = replay(fd, paths);
    if (isTerminalTaskState(stream.progress.status)) {
      finishOnDisk(paths, settings.now() / 1000);
      throw finished(spec.taskId);
    }
    const before = readTaskFile(paths);
    if (before === undefined) start.writeTaskFile(spec.task);
    else if (!isSameTask(before, spec.task)) throw differs(spec.taskId);
    const opened = { place: spec, paths, fd, takeBack: () => start.takeBack(), ...stream };
    const old = stream.progress.header;
    if (old !== undefined) return resumed(opened, spec.task, old);
    if (stream.past.length > 0) checkAuthors(spec, user.uid);
    makeLogDir(logDir);
    const header = headerOf(spec, logDir, user, Math.round(settings.now()));
    const { task, sandbox } = spec;
    return {
      ...opened,
      task,
      sandbox,
      logDir,
      userName: user.name,
      account: user,
      header,
      resumed: stream.past.length > 0,
    };
  } catch (error) {
    start.takeBack();
    closeSync(fd);
    throw error;
  }
}

/** Opens a task that is on disk, as its runner. See `takeOver`. */
export function reopen(place: Place, settings: RunSettings): OpenedTask {
  const paths = pathsOf(place);
  if (!existsSync(paths.stream)) {
    if (existsSync(paths.finished)) throw finished(place.taskId);
    throw new NotFoundError('task-not-found', `there is no task ${place.taskId} in ${place.root}`);
  }
  const fd = reopenStream(paths);
  try {
    if (!lock(fd, paths, place.taskId)) throw removed(place.taskId);
    const stream = replay(fd, paths);
    if (isTerminalTaskState(stream.progress.status)) {
      finishOnDisk(paths, settings.now() / 1000);
      throw finished(place.taskId);
    }
    const task = readTaskFile(paths);
    const { header } = stream.progress;
    if (task === undefined || header === undefined) {
      const missing = task === undefined ? 'task file' : 'header';
      throw new SystemError(
        'task-incomplete',
        `task ${place.taskId} has no ${missing}: it can't be taken over`,
      );
    }
    return resumed({ place, paths, fd, takeBack: () => {}, ...stream }, task, header);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

type Stream = Pick<OpenedTask, 'progress' | 'past' | 'problems'>;

/** What a task already is, is not changed: where it runs and for whom says its header. */
function resumed(
  opened: Stream & Pick<OpenedTask, 'place' | 'paths' | 'fd' | 'takeBack'>,
  task: RunnableTask,
  header: RunnerHeader,
): OpenedTask {
  checkPlans(task);
  const { sandbox, user, uid } = header;
  if (sandbox === undefined)
    throw new SystemError('task-incomplete', 'the header of the task has no sandbox');
  const found = user === undefined ? undefined : findAccount(user);
  const account = found ?? (uid === undefined ? undefined : findAccount(uid));
  checkAuthors(opened.place, account?.uid ?? uid);
  const me = process.geteuid?.() ?? 0;
  if (account !== undefined && me !== 0 && account.uid !== me) throw notRoot(account.name);
  return {
    ...opened,
    task,
    sandbox,
    logDir: header.log_dir ?? `${sandbox}/.logs`,
    userName: user ?? String(uid),
    account: account ?? (uid === me ? accountFor(undefined) : undefined),
    header: { type: 'runner_header', value: header },
    resumed: true,
  };
}

function checkAuthors(place: Place, uid: number | undefined): void {
  const error = distrust(place, uid);
  if (error !== undefined) throw error;
}

function headerOf(spec: NewTask, log_dir: string, user: Account, launch_time_ms: number): CheckpointRecord {
  const { taskId: task_id, sandbox } = spec;
  const ports = { ...spec.ports };
  const value: RunnerHeader = {
    task_id,
    launch_time_ms,
    sandbox,
    hostname: spec.hostname ?? hostname(),
    user: user.name,
    ports,
    log_dir,
    uid: user.uid,
  };
  return { type: 'runner_header', value };
}

/** Reads the stream, whose lock we hold; what a killed runner left of a record is taken away. */
function replay(fd: number, paths: Paths): Stream {
  const progress = new Progress();
  const past: CheckpointRecord[] = [];
  let wrong: number | undefined;
  const lister = new RecordLister((record, offset) => {
    if (wrong !== undefined) return;
    if (!progress.fits(record) && !isFirstOfOther(record, progress)) {
      wrong = offset;
      return;
    }
    progress.apply(record);
    past.push(record);
  });
  const { damage } = readStream(OpenFile.of(fd, paths.stream), lister);
  const at = wrong ?? (damage?.kind === 'damaged' ? damage.offset : undefined);
  if (at !== undefined) {
    const hint = `look at it with \`thermos read ${shellArguments(paths.stream)}\``;
    throw new SystemError('checkpoint-damaged', `the stream ${paths.stream} is damaged at byte ${at}`, hint);
  }
  if (lister.bytes < fstatSync(fd).size) ftruncateSync(fd, lister.bytes);
  return { progress, past, problems: [] };
}

/** Any first sequence number is accepted by the original. */
function isFirstOfOther({ type, value }: CheckpointRecord, { runs }: Progress): boolean {
  return type === 'process_status' && value.state === 'WAITING' && !runs.has(value.process as string);
}

/** Times that a stream is opened anew because somebody removed it meanwhile. */
const TRIES = 10;

/**
 * The stream of a task that is about to start, locked; made if it isn't there. What was made for it can be taken back
 * until something is recorded, so that a start that fails leaves no task that never was.
 */
class Start {
  readonly fd: number;
  readonly #paths: Paths;
  #madeDirectory = false;
  #madeStream = false;
  #madeTaskFile = false;

  /** Throws UsageError `task-running`, `root-unwritable`, and what `tryLock` throws. */
  constructor({ root, taskId }: Place, paths: Paths) {
    this.#paths = paths;
    for (let tries = 0; tries < TRIES; tries++) {
      const fd = this.#open(root);
      if (fd === undefined) continue;
      try {
        if (lock(fd, paths, taskId)) {
          this.fd = fd;
          return;
        }
      } catch (error) {
        // No lock can be taken here at all: nobody else will have, and what is made stays nobody's.
        const isOurs = !(error instanceof UsageError) && Host.local().isLocked(fstatSync(fd)) === false;
        if (isOurs) this.#remove(fd);
        closeSync(fd);
        throw error;
      }
      closeSync(fd);
    }
    throw removed(taskId);
  }

  /** Undefined if it was there and is gone again. */
  #open(root: string): number | undefined {
    const [made] = makeRoot(root, [this.#paths.directory]);
    this.#madeDirectory = made === true;
    for (const create of [constants.O_CREAT | constants.O_EXCL, 0]) {
      try {
        this.#madeStream = create !== 0;
        return openStream(this.#paths, create);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno !== (this.#madeStream ? 'EEXIST' : 'ENOENT')) throw unwritable(this.#paths, error);
      }
    }
    return undefined;
  }

  writeTaskFile(task: RunnableTask): void {
    this.#madeTaskFile = true;
    writeTaskFile(this.#paths, task);
  }

  /** For as long as nothing is recorded. The lock is held: nobody else has written anything either. */
  takeBack(): void {
    if (this.#madeTaskFile) {
      remove(draftOf(this.#paths));
      remove(this.#paths.active);
    }
    this.#remove(this.fd);
  }

  #remove(fd: number): void {
    const { directory, stream } = this.#paths;
    if (this.#madeStream && isAt(fd, stream)) remove(stream);
    if (this.#madeDirectory) remove(directory, rmdirSync);
  }
}

function remove(path: string, how: (path: string) => void = unlinkSync): void {
  try {
    how(path);
  } catch {
    // It is gone, or others have put something in it: either way it is not ours to remove.
  }
}

function openStream({ stream }: Paths, create: number): number {
  // Where users may write, a link could lead root anywhere.
  return openSync(stream, constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | create, 0o644);
}

function reopenStream(paths: Paths): number {
  try {
    return openStream(paths, 0);
  } catch (error) {
    throw unwritable(paths, error);
  }
}

function unwritable({ stream }: Paths, error: unknown): UsageError {
  return new UsageError('root-unwritable', `cannot write ${stream}: ${describeErrno(error)}`);
}

/** Takes the lock. False if what was locked has lost its name meanwhile: whoever removes a stream holds its lock. */
function lock(fd: number, { stream }: Paths, taskId: string): boolean {
  if (tryLock(fd)) return isAt(fd, stream);
  const hint = `see it with \`thermos status ${shellArguments(taskId)}\``;
  throw new UsageError('task-running', `task ${taskId} has a runner already`, hint);
}

function isAt(fd: number, path: string): boolean {
  const opened = fstatSync(fd, { bigint: true });
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return named?.ino === opened.ino && named.dev === opened.dev;
}

function removed(taskId: string): SystemError {
  return new SystemError('task-removed', `task ${taskId} was removed while it was opened`, 'try again');
}

function readTaskFile(paths: Paths): RunnableTask | undefined {
  let text: string;
  try {
    text = readFileSync(paths.active, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new SystemError('task-file-unreadable', `cannot read ${paths.active}: ${describeErrno(error)}`);
  }
  try {
    return runnableTask(JSON.parse(text));
  } catch (error) {
    throw new SystemError('task-file-damaged', `${paths.active} is no task: ${(error as Error).message}`);
  }
}

const draftOf = ({ directory }: Paths) => `${directory}/.task`;

/** Whole or not at all. */
function writeTaskFile(paths: Paths, task: RunnableTask): void {
  const draft = draftOf(paths);
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const fd = openSync(draft, flags, 0o644);
    try {
      const bytes = Buffer.from(taskFileText(task));
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, paths.active);
  } catch (error) {
    throw new SystemError('task-file-unwritable', `cannot write ${paths.active}: ${describeErrno(error)}`);
  }
}

/** Returns which of the directories were not there. */
function makeRoot(root: string, directories: readonly string[]): boolean[] {
  try {
    makePassable(root);
    const made = directories.map((path) => makeDirectory(path));
    for (const path of directories) accessSync(path, constants.W_OK | constants.X_OK);
    return made;
  } catch (error) {
    const hint = 'choose another with --root';
    throw new UsageError(
      'root-unwritable',
      `cannot write to the root ${root}: ${describeErrno(error)}`,
      hint,
    );
  }
}

function makeSandbox(path: string, user: Account): void {
  const unusable = (why: string) =>
    new UsageError(
      'sandbox-unusable',
      `the sandbox ${path} can't be used: ${why}`,
      'choose another with --sandbox',
    );
  try {
    makePassable(dirname(path));
    makeFor(path, user);
    if (!statSync(path).isDirectory()) throw unusable('it is no directory');
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw unusable(errnoOf(error) === 'EEXIST' ? 'it is no directory' : describeErrno(error));
  }
}

/** As in the original it stays ours, so that the task can't move its logs; only the directory of a run is its user's. */
function makeLogDir(path: string): void {
  try {
    makePassable(path);
  } catch (error) {
    throw new UsageError(
      'sandbox-unusable',
      `cannot make the log directory ${path}: ${describeErrno(error)}`,
    );
  }
}

/** Makes a directory that tasks of all users have to get through, if we run any. */
function makePassable(path: string): void {
  if (process.geteuid?.() === 0) underUmask(OPEN_TO_ALL, () => makeDirectory(path));
  else makeDirectory(path);
}

/** What we make for a user is the user's. */
function makeFor(path: string, { uid, gid }: Account): void {
  const made = makeDirectory(path);
  // The user may have put a link there meanwhile.
  if (made && uid !== process.geteuid?.()) lchownSync(path, uid, gid);
}

function accountFor(name: string | undefined): Account {
  const me = process.geteuid?.() ?? 0;
  if (name === undefined) {
    // A uid without an entry has a number for a name.
    return findAccount(me) ?? { name: String(me), uid: me, gid: process.getegid?.() ?? 0 };
  }
  const account = findAccount(name);
  if (account === undefined) throw new UsageError('user-unknown', `there is no user ${name} on this machine`);
  if (account.uid !== me && me !== 0) throw notRoot(name);
  return account;
}

function notRoot(name: string): UsageError {
  return new UsageError('user-not-root', `only root can run a task for another user, here ${name}`);
}

function checkSettings({ chroot, coordinator }: RunSettings, _user: Account): void {
  if (chroot && process.geteuid?.() !== 0) {
    throw new UsageError('chroot-not-root', 'only root can change the root directory of processes');
  }
  if (!existsSync(coordinator)) throw new SystemError('install-incomplete', `${coordinator} is not there`);
}

function checkPlans({ processes, orders }: RunnableTask): void {
  const known = new Set(processes.map(({ name }) => name));
  for (const order of orders) {
    const unknown = order.find((name) => !known.has(name));
    if (unknown !== undefined) {
      throw new UsageError(
        'task-invalid',
        `a constraint names a process ${JSON.stringify(unknown)}, there is none`,
      );
    }
  }
  for (const final of [false, true]) {
    const [fault] = planOf(processes, orders, final).faults;
    if (fault !== undefined) throw new UsageError('task-invalid', describeFault(fault));
  }
}

function describeFault(fault: PlanFault): string {
  switch (fault.kind) {
    case 'mixed':
      return `the order ${fault.order.join(', ')} is of final and other processes`;
    case 'empty':
      return 'a constraint orders no processes';
    case 'cycle':
      return `processes wait for each other: ${fault.cycle.join(', ')}`;
    default:
      return `process ${fault.process} can't come after ${fault.on}, which is ${fault.kind}`;
  }
}

function finished(taskId: string): UsageError {
  const hint = `choose another id, or remove the old task with \`thermos gc ${shellArguments(taskId)}\``;
  return new UsageError('task-finished', `task ${taskId} is finished`, hint);
}

function differs(taskId: string): UsageError {
  return new UsageError(
    'task-differs',
    `${taskId} is the id of another task`,
    'choose another id with --task-id',
  );
}
