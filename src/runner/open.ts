import { ftruncateSync } from 'node:fs';
import { hostname } from 'node:os';
import { RecordLister } from '../checkpoint/follow.js';
import { readStream } from '../checkpoint/reader.js';
import { type CheckpointRecord, isTerminalTaskState, type RunnerHeader } from '../checkpoint/records.js';
import { thermosCommand } from '../discovery/advised-command.js';
import { NotFoundError, SystemError, ThermosError, UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isShortage } from '../errors/shortage.js';
import { type Account, findAccount } from '../host/accounts.js';
import { layoutAt } from '../layout/layouts.js';
import { defaultLogDir } from '../layout/log-paths.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { moveTaskFile } from '../lifecycle/finish.js';
import { checkOwnership } from '../lifecycle/trust.js';
import { presenceUnlessShort } from '../store/look.js';
import { OpenFile } from '../store/open-file.js';
import { MAX_TASK_FILE_BYTES } from '../task/task-file.js';
import type { NewTask, RunSettings } from './api.js';
import { StreamProgress } from './progress.js';
import { RunnerRoot, type StartingStream, unwritable } from './runner-root.js';
import { makeLogDir, makeSandbox } from './sandbox.js';
import { checkPlans, isSameTask, type RunnableTask, runnableTask, taskFileText } from './task-document.js';

/** An opened task: we hold the lock of its stream. */
export interface OpenedTask {
  readonly place: TaskPlace;
  readonly root: RunnerRoot;
  /** Locked. */
  readonly stream: OpenFile;
  readonly task: RunnableTask;
  /** The records already in the stream, in order. */
  readonly past: readonly CheckpointRecord[];
  readonly resumed: boolean;
  readonly sandbox: string;
  readonly logDir: string;
  readonly userName: string;
  /** Undefined if the user does not exist here; then no process can be started. */
  readonly account: Account | undefined;
  /** Appended after the first status if the stream has no header. */
  readonly header: CheckpointRecord;
  readonly problems: readonly Problem[];
  /** Removes what was created by opening a task that has no header yet and thus never began. */
  readonly rollBack: () => void;
}

/** Opens a new or existing task to run it. See `openTask`. */
export function open(spec: NewTask, settings: RunSettings): OpenedTask {
  const root = new RunnerRoot(spec);
  try {
    checkPlans(spec.task);
    const user = accountFor(spec.user ?? spec.task.user);
    checkSettings(settings);
    if (root.has('finished') && !root.has('active')) throw finished(spec);
    // In this order: an unwritable root must not be blamed on the sandbox, and a failed sandbox must leave no task.
    root.prepare(user.uid);
    makeSandbox(spec.sandbox, user, spec);
    return openStarting(root, root.startStream(), spec, user, settings);
  } catch (error) {
    root.close();
    throw error;
  }
}

function openStarting(
  root: RunnerRoot,
  start: StartingStream,
  spec: NewTask,
  user: Account,
  settings: RunSettings,
): OpenedTask {
  const logDir = spec.logDir ?? defaultLogDir(spec.sandbox);
  let file: OpenFile | undefined;
  try {
    file = root.openTaskFile();
    const stream = replay(start.stream);
    const old = stream.progress.header;
    const files = file === undefined ? [start.stream] : [start.stream, file];
    checkAuthors(spec, old === undefined ? user.uid : uidOf(old), files);
    cutToWhole(start.stream, stream.bytes);
    if (isTerminalTaskState(stream.progress.status)) {
      moveTaskFile(root.place, settings.now());
      throw finished(spec);
    }
    const before = file && taskIn(file);
    if (before === undefined) start.writeTaskFile(taskFileText(spec.task));
    else if (!isSameTask(before, spec.task)) throw differs(spec.taskId);
    const opened = { place: spec, root, stream: start.stream, rollBack: () => start.rollBack(), ...stream };
    if (old !== undefined) return resumed(opened, spec.task, old, user);
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
    start.rollBack();
    start.stream.close();
    throw error;
  } finally {
    file?.close();
  }
}

/** Opens an existing task as its runner. See `takeOver`. */
export function reopen(place: TaskPlace, settings: RunSettings): OpenedTask {
  const root = new RunnerRoot(place);
  let stream: OpenFile | undefined;
  let file: OpenFile | undefined;
  try {
    if (!root.hasStream()) {
      if (root.has('finished')) throw finished(place);
      throw new NotFoundError('task-not-found', `there is no task ${place.taskId} in ${place.root}`);
    }
    stream = lockStream(root);
    file = root.openTaskFile();
    const said = replay(stream);
    const { header } = said.progress;
    checkAuthors(place, header && uidOf(header), file === undefined ? [stream] : [stream, file]);
    cutToWhole(stream, said.bytes);
    if (isTerminalTaskState(said.progress.status)) {
      moveTaskFile(root.place, settings.now());
      throw finished(place);
    }
    const task = file && taskIn(file);
    if (task === undefined || header === undefined) {
      const missing = task === undefined ? 'task file' : 'header';
      throw new SystemError(
        'task-incomplete',
        `task ${place.taskId} has no ${missing}: it cannot be taken over`,
      );
    }
    return resumed({ place, root, stream, rollBack: () => {}, ...said }, task, header);
  } catch (error) {
    stream?.close();
    root.close();
    throw error;
  } finally {
    file?.close();
  }
}

function lockStream(root: RunnerRoot): OpenFile {
  try {
    return root.lockStream('write');
  } catch (error) {
    throw error instanceof ThermosError ? error : unwritable(root.paths.stream, error);
  }
}

type ReplayedStream = Pick<OpenedTask, 'past' | 'problems'> & { readonly progress: StreamProgress };

/**
 * A resumed task keeps its properties: its header determines its sandbox and its user. `user`: the requested user,
 * needed because the content of a sandbox alone must not decide as whom commands run on the host.
 */
function resumed(
  opened: ReplayedStream & Pick<OpenedTask, 'place' | 'root' | 'stream' | 'rollBack'>,
  task: RunnableTask,
  header: RunnerHeader,
  user?: Account,
): OpenedTask {
  checkPlans(task);
  const { sandbox, user: name, uid } = header;
  if (sandbox === undefined)
    throw new SystemError('task-incomplete', 'the header of the task has no sandbox');
  const account = accountOf(header);
  const me = process.geteuid?.() ?? 0;
  const { taskId, root } = opened.place;
  if (me === 0 && !layoutAt(root).executes && (user === undefined || user.uid !== account?.uid)) {
    const message = `task ${taskId} is in an executor's sandbox, and nothing else says which user it runs as`;
    throw new UsageError('task-untrusted', message, 'run it again as the user of the task');
  }
  if (account !== undefined && me !== 0 && account.uid !== me) throw notRoot(account.name);
  return {
    ...opened,
    task,
    sandbox,
    logDir: header.log_dir ?? defaultLogDir(sandbox),
    userName: name ?? String(uid),
    account: account ?? (uid === me ? accountFor(undefined) : undefined),
    header: { type: 'runner_header', value: header },
    resumed: true,
  };
}

function accountOf({ user, uid }: RunnerHeader): Account | undefined {
  const found = user === undefined ? undefined : findAccount(user);
  return found ?? (uid === undefined ? undefined : findAccount(uid));
}

/** The uid of a task's user, who may have no account here. */
function uidOf(header: RunnerHeader): number | undefined {
  return accountOf(header)?.uid ?? header.uid;
}

function checkAuthors(place: TaskPlace, uid: number | undefined, opened: readonly OpenFile[]): void {
  const error = checkOwnership(place, uid, opened);
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

/** Reads the stream, whose lock we hold. `bytes`: the length of its complete records. */
function replay(stream: OpenFile): ReplayedStream & { bytes: number } {
  const progress = new StreamProgress();
  const past: CheckpointRecord[] = [];
  let wrong: number | undefined;
  const lister = new RecordLister((record, offset) => {
    if (wrong !== undefined) return;
    if (!progress.fits(record)) {
      wrong = offset;
      return;
    }
    progress.apply(record);
    past.push(record);
  });
  // It may have grown between opening and locking.
  const { damage } = readStream(OpenFile.of(stream.fd, stream.path), lister);
  const at = wrong ?? (damage?.kind === 'damaged' ? damage.offset : undefined);
  if (at !== undefined) {
    const hint = `look at it: ${thermosCommand(['read'], {}, [stream.path])}`;
    throw new SystemError('checkpoint-damaged', `the stream ${stream.path} is damaged at byte ${at}`, hint);
  }
  return { progress, past, problems: [], bytes: lister.bytes };
}

/** Removes a record that a killed runner left incomplete. */
function cutToWhole(stream: OpenFile, bytes: number): void {
  if (bytes < stream.statNow().size) ftruncateSync(stream.fd, bytes);
}

function taskIn(file: OpenFile): RunnableTask {
  try {
    return runnableTask(JSON.parse(file.read(MAX_TASK_FILE_BYTES).toString('utf8')));
  } catch (error) {
    if (isShortage(error)) throw error;
    throw new SystemError('task-file-damaged', `${file.path} is not a task: ${(error as Error).message}`);
  }
}

function accountFor(name: string | undefined): Account {
  const me = process.geteuid?.() ?? 0;
  if (name === undefined) {
    // A uid without an entry is its own name.
    return findAccount(me) ?? { name: String(me), uid: me, gid: process.getegid?.() ?? 0, home: '' };
  }
  const account = findAccount(name);
  if (account === undefined) throw new UsageError('user-unknown', `there is no user ${name} on this machine`);
  if (account.uid !== me && me !== 0) throw notRoot(name);
  return account;
}

function notRoot(name: string): UsageError {
  return new UsageError('user-not-root', `only root can run a task for another user, here ${name}`);
}

function checkSettings({ chroot, coordinator }: RunSettings): void {
  if (chroot && process.geteuid?.() !== 0) {
    throw new UsageError('chroot-not-root', 'only root can change the root directory of processes');
  }
  if (presenceUnlessShort(coordinator.script) !== 'other')
    throw new SystemError('install-incomplete', `${coordinator.script} does not exist`);
}

function finished({ root, taskId }: TaskPlace): UsageError {
  const hint = `choose another id, or remove the old task: ${thermosCommand(['gc'], { root: [root] }, [taskId])}`;
  return new UsageError('task-finished', `task ${taskId} is finished`, hint);
}

function differs(taskId: string): UsageError {
  return new UsageError(
    'task-differs',
    `${taskId} is the id of another task`,
    'choose another id with --task-id',
  );
}
