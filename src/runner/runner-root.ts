import { accessSync, constants, mkdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { thermosCommand } from '../discovery/advised-command.js';
import { describeErrno, errnoOf, SystemError, ThermosError, UsageError } from '../errors/errors.js';
import { isShortage, shortageError, shortageRemedy } from '../errors/shortage.js';
import { tryLock } from '../host/flock.js';
import { accountGroups } from '../host/groups.js';
import { Host } from '../host/host.js';
import { makeDirectory } from '../host/make-directory.js';
import { OPEN_TO_ALL, underUmask } from '../host/umask.js';
import { CHECKPOINTS, TASKS } from '../layout/root-paths.js';
import { type ExactStarts, STARTS } from '../layout/starts.js';
import { type Paths, pathsOf, RUNNER, type TaskPlace } from '../layout/task-paths.js';
import { baseOf, refuseStrangers, trustedUsers, untrusted } from '../lifecycle/trust.js';
import { at, Directories } from '../store/directories.js';
import { presenceOf, statFile } from '../store/look.js';
import { writeNewFile } from '../store/new-file.js';
import { type Access, type OpenFile, openFile, useFile } from '../store/open-file.js';
import { directoriesAbove, directoriesTo, findUntrusted, pathOwner } from '../store/ownership.js';
import { namesBelow, parentOf } from '../store/paths.js';
import { unreadable } from '../store/problems.js';
import { RefusedError } from '../store/refused.js';
import { readStarts } from '../task/starts.js';
import { MAX_TASK_FILE_BYTES } from '../task/task-file.js';

/** How often to reopen a stream that was removed meanwhile. */
const TRIES = 10;

/** The draft of a task file, which is renamed when complete. */
const DRAFT = '.task';
const STARTS_DRAFT = '.starts';

/**
 * The files of one task in its root, for its runner. Creates, opens, moves and removes them relative to open directories
 * and follows no link on the way to these. Must be closed.
 */
export class RunnerRoot {
  readonly place: TaskPlace;
  readonly paths: Paths;
  readonly #base: string;
  /** From the base to the root. */
  readonly #names: readonly string[];
  readonly #directories = new Directories();

  /** Throws UsageError `task-id-invalid`. */
  constructor(place: TaskPlace) {
    this.place = place;
    this.paths = pathsOf(place);
    this.#base = baseOf(place.root);
    this.#names = namesBelow(place.root, this.#base) as string[];
  }

  get #opening() {
    return { below: this.#base, directories: this.#directories };
  }

  get #checkpoint(): readonly string[] {
    return [CHECKPOINTS, this.place.taskId];
  }

  /**
   * Creates the root with its directories for tasks, if missing, after checking that only root, ourselves and the task's
   * user can replace anything in it. Throws UsageError `root-untrusted`, `root-unwritable`.
   */
  prepare(uid: number): void {
    const { root } = this.place;
    this.#writing(() => {
      let above = this.#base;
      while (presenceOf(above) === 'absent') above = parentOf(above);
      if (above !== this.#base) {
        refuseStrangers(root, directoriesAbove(above, this.#directories), uid);
        this.#directories.close();
      }
      if (process.geteuid?.() === 0) underUmask(OPEN_TO_ALL, () => makeDirectory(this.#base));
      else makeDirectory(this.#base);
      const inner = [[TASKS, 'active'], [TASKS, 'finished'], [CHECKPOINTS]];
      for (const [depth, name] of this.#names.entries()) {
        refuseStrangers(root, directoriesTo(this.#base, this.#names.slice(0, depth), this.#directories), uid);
        const above = this.#directories.fd(this.#base, this.#names.slice(0, depth));
        attempt(() => mkdirSync(at(above, name), 0o755), ['EEXIST']);
      }
      refuseStrangers(root, directoriesTo(this.#base, this.#names, this.#directories), uid);
      for (const names of inner) {
        this.#make(names);
        refuseStrangers(root, directoriesTo(this.#base, [...this.#names, ...names], this.#directories), uid);
        accessSync(at(this.#fd(names), '.'), constants.W_OK | constants.X_OK);
      }
    });
  }

  /** Creates the checkpoint directory; false if it existed. Throws UsageError `root-unwritable`. */
  makeCheckpoint(): boolean {
    return this.#writing(() => {
      const made = this.#make(this.#checkpoint);
      accessSync(at(this.#fd(this.#checkpoint), '.'), constants.W_OK | constants.X_OK);
      return made;
    });
  }

  /** Does the task have a task file in this phase? */
  has(phase: 'active' | 'finished'): boolean {
    return statFile(this.paths[phase], this.#opening) !== undefined;
  }

  hasStream(): boolean {
    return statFile(this.paths.stream, this.#opening) !== undefined;
  }

  /** Opens the task's stream. Throws system errors and RefusedError. */
  openStream(access: Access): OpenFile {
    return openFile(this.paths.stream, { ...this.#opening, access });
  }

  /**
   * Opens the task's stream and takes its lock. Throws UsageError `task-running`, SystemError `task-removed` if the
   * stream is removed meanwhile, and the errors of `openStream`.
   */
  lockStream(access: Access): OpenFile {
    const stream = this.openStream(access);
    try {
      if (!this.#lock(stream)) throw removed(this.place.taskId);
      return stream;
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /**
   * Opens and locks the stream of a task that is about to start; created if missing. Throws UsageError `task-running`,
   * `root-unwritable`, SystemError `task-removed`, and the errors of `tryLock`.
   */
  startStream(): StartingStream {
    for (let tries = 0; tries < TRIES; tries++) {
      const start = this.#openToStart();
      if (start === undefined) continue;
      try {
        if (this.#lock(start.stream)) return start;
      } catch (error) {
        // Locking does not work here at all, so no other runner uses what we created.
        const isOurs =
          !(error instanceof UsageError) && Host.local().isLocked(start.stream.statNow()) === false;
        if (isOurs) start.rollBack();
        start.stream.close();
        throw error;
      }
      start.stream.close();
      // The directory may have been replaced.
      this.#directories.close();
    }
    throw removed(this.place.taskId);
  }

  /** Undefined if it existed but is gone again. */
  #openToStart(): StartingStream | undefined {
    const madeDirectory = this.makeCheckpoint();
    for (const access of ['make', 'write'] as const) {
      try {
        return new StartingStream(this, this.openStream(access), {
          directory: madeDirectory,
          stream: access === 'make',
        });
      } catch (error) {
        if (errnoOf(error) === (access === 'make' ? 'EEXIST' : 'ENOENT')) continue;
        throw unwritable(this.paths.stream, error);
      }
    }
    return undefined;
  }

  /** False if the locked stream was removed meanwhile; a stream is removed only while its lock is held. */
  #lock(stream: OpenFile): boolean {
    const { root, taskId } = this.place;
    if (tryLock(stream.fd)) return this.isNamed(stream);
    const hint = `see it: ${thermosCommand(['status'], { root: [root] }, [taskId])}`;
    throw new UsageError('task-running', `task ${taskId} has a runner already`, hint);
  }

  /** Does the open stream still have its name? */
  isNamed(stream: OpenFile): boolean {
    const named = statFile(this.paths.stream, this.#opening);
    const opened = stream.statNow();
    return named?.ino === opened.ino && named.dev === opened.dev;
  }

  /** The task file of an active task, open; undefined if there is none. Throws SystemError `task-file-unreadable`. */
  openTaskFile(): OpenFile | undefined {
    const { active } = this.paths;
    try {
      return openFile(active, { ...this.#opening, max: MAX_TASK_FILE_BYTES });
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      const { message, hint } = unreadable({
        code: 'task-file-unreadable',
        tried: `read the task file ${active}`,
        what: 'the task file',
        error,
      });
      throw new SystemError('task-file-unreadable', message, hint, error);
    }
  }

  /**
   * Opens the stream of a process; created if missing. Throws system errors, RefusedError, and UsageError
   * `task-untrusted` if anyone but root, ourselves and the task's user may have written the file: it could belong to
   * another task.
   */
  openCoordinator(process: string, uid: number): OpenFile {
    const path = this.paths.coordinator(process);
    if (path === undefined) throw Object.assign(new Error('file name too long'), { code: 'ENAMETOOLONG' });
    const file = openFile(path, { ...this.#opening, access: 'create' });
    const trusted = trustedUsers(uid, globalThis.process.geteuid?.() ?? 0);
    const stranger = findUntrusted([pathOwner(path, file.stat)], trusted, accountGroups());
    if (stranger === undefined) return file;
    file.close();
    throw untrusted(this.place.taskId, uid, stranger);
  }

  /**
   * Opens the file that now has the name of a process's stream, in the directory opened first, for `use`. Throws system
   * errors, RefusedError and the errors of `use`.
   */
  useCoordinator(process: string, use: (file: OpenFile) => void): void {
    const path = this.paths.coordinator(process);
    // A name that leads out of the directory has no stream.
    if (path === undefined) return;
    useFile(path, { ...this.#opening, oneName: true }, use);
  }

  /**
   * Replaces the file of exact starts, and opens it for appending. It is not synced: it means nothing after a boot. Throws
   * system errors and RefusedError.
   */
  replaceStarts(text: string): OpenFile {
    const draft = this.#inCheckpoint(STARTS_DRAFT);
    attempt(() => unlinkSync(draft), ['ENOENT']);
    writeNewFile(this.#fd(this.#checkpoint), STARTS_DRAFT, text, { mode: 0o644 });
    renameSync(draft, this.#inCheckpoint(STARTS));
    return openFile(this.paths.starts, { ...this.#opening, access: 'write', oneName: true });
  }

  /** What runners of this user's task kept before. */
  readStarts(uid: number | undefined): ExactStarts {
    const trusted = trustedUsers(uid, process.geteuid?.() ?? 0);
    return readStarts(this.paths.directory, this.#opening, trusted, Host.local().bootId()).starts;
  }

  /** Atomic. Throws SystemError `task-file-unwritable`. */
  writeTaskFile(text: string): void {
    try {
      this.#removeDraft();
      writeNewFile(this.#fd(this.#checkpoint), DRAFT, text, { mode: 0o644, durable: true });
      renameSync(this.#inCheckpoint(DRAFT), this.#activeFile());
    } catch (error) {
      throw new SystemError(
        'task-file-unwritable',
        `cannot write ${this.paths.active}: ${describeErrno(error)}`,
        shortageRemedy(error),
        error,
      );
    }
  }

  removeTaskFile(): void {
    this.#removeDraft();
    attempt(() => unlinkSync(this.#activeFile()));
  }

  removeStream(): void {
    attempt(() => unlinkSync(this.#inCheckpoint(RUNNER)));
  }

  /** Only if it is empty. */
  removeCheckpoint(): void {
    attempt(() => rmdirSync(at(this.#fd([CHECKPOINTS]), this.place.taskId)));
  }

  close(): void {
    this.#directories.close();
  }

  #removeDraft(): void {
    attempt(() => unlinkSync(this.#inCheckpoint(DRAFT)));
  }

  #inCheckpoint(name: string): string | Buffer {
    return at(this.#fd(this.#checkpoint), name);
  }

  #activeFile(): string | Buffer {
    return at(this.#fd([TASKS, 'active']), this.place.taskId);
  }

  /** A descriptor of a directory in the root. */
  #fd(names: readonly string[]): number {
    return this.#directories.fd(this.#base, [...this.#names, ...names]);
  }

  /** Creates a directory in the root and its parents; false if the last one existed. */
  #make(names: readonly string[]): boolean {
    let made = false;
    for (let depth = 1; depth <= names.length; depth++) {
      const name = names[depth - 1] as string;
      made = attempt(() => mkdirSync(at(this.#fd(names.slice(0, depth - 1)), name), 0o755), ['EEXIST']);
    }
    return made;
  }

  #writing<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      if (error instanceof ThermosError) throw error;
      const tried = `cannot write to the root ${this.place.root}`;
      if (isShortage(error)) throw shortageError(tried, error);
      const why = error instanceof RefusedError ? error.message : describeErrno(error);
      const message = `${tried}: ${why}`;
      throw new UsageError('root-unwritable', message, 'choose another with --root');
    }
  }
}

/**
 * The locked stream of a task that is about to start. Created files can be removed until the first record is written, so
 * that a failed start leaves no task behind.
 */
export class StartingStream {
  readonly stream: OpenFile;
  readonly #root: RunnerRoot;
  readonly #made: { readonly directory: boolean; readonly stream: boolean };
  #madeTaskFile = false;

  constructor(root: RunnerRoot, stream: OpenFile, made: { directory: boolean; stream: boolean }) {
    this.#root = root;
    this.stream = stream;
    this.#made = made;
  }

  writeTaskFile(text: string): void {
    this.#madeTaskFile = true;
    this.#root.writeTaskFile(text);
  }

  /** Only before anything is recorded. We hold the lock, so nobody else has written anything either. */
  rollBack(): void {
    if (this.#madeTaskFile) this.#root.removeTaskFile();
    if (this.#made.stream) {
      attempt(() => {
        if (this.#root.isNamed(this.stream)) this.#root.removeStream();
      });
    }
    if (this.#made.directory) this.#root.removeCheckpoint();
  }
}

/** True on success. Rethrows unexpected errors; all are expected if none are given. */
function attempt(action: () => void, expected?: readonly string[]): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (expected !== undefined && !expected.includes(errnoOf(error) ?? '')) throw error;
    // It is gone, exists already, or others use it: in any case nothing remains to be done.
    return false;
  }
}

/** The error for a stream that cannot be opened for writing. */
export function unwritable(path: string, error: unknown): ThermosError {
  if (isShortage(error)) return shortageError(`cannot write ${path}`, error);
  const why = error instanceof RefusedError ? error.message : describeErrno(error);
  return new UsageError('root-unwritable', `cannot write ${path}: ${why}`);
}

function removed(taskId: string): SystemError {
  return new SystemError('task-removed', `task ${taskId} was removed while it was being opened`, 'try again');
}
