import { basename, dirname } from 'node:path';
import type { Problem } from '../errors/problem.js';
import { backupName, backupOfName } from '../layout/backups.js';
import { listBackups } from './log-files.js';
import { closeLog, idOf, type LogAccess, type LogFile, openLog, readAt, statLog } from './open-log.js';
import { copyOut, isBeginningOf, Position, type Sink } from './position.js';
import { LastLinesScan } from './scan-back.js';

/** Older backups are not kept open while following. */
const KEPT_OPEN = 8;
/** So many files are open at once while the last lines are looked for; older ones are opened again to be given. */
const HELD_OPEN = 64;
/** So much of what is written is given at once: who follows has signals to hear, however fast it grows. */
const MOST_AT_ONCE = 16 * 1024 * 1024;

/** What a person should know about how a log was read. */
export type CursorNotice = { kind: 'truncated' | 'overtaken' } | { kind: 'problem'; problem: Problem };

/** Backups that were not there before, each list newest first. */
interface Unseen {
  /** Newer than the current file; all of them if that is none of the backups. */
  newer: LogFile[];
  /** Older than the current file, if that is now a backup. */
  older: LogFile[];
  metCurrent: boolean;
}

/**
 * Reads one log, STREAM with its backups STREAM.1 (newest) … STREAM.N, as the one stream of bytes that was
 * written: first the last lines, then whatever comes. It holds the file open, so that after a rotation by
 * renaming the old file is read to its end before the new one; after copy-and-truncate what was not read yet
 * is taken from the copy. Backups that were there before stay open too: as long as they are, their inodes
 * can't be reused, and it is certain which backups are new.
 */
export class LogCursor {
  readonly path: string;
  readonly #access: LogAccess;
  readonly #notice: (notice: CursorNotice) => void;
  #found = false;
  #current: Position | undefined;
  /** Backups that were read or left out, newest first. */
  #known: LogFile[] = [];
  /** The newest of them: after a renaming its writer may not have noticed yet. */
  #former: Position | undefined;
  readonly #told = new Set<string>();

  constructor(path: string, access: LogAccess, notice: (notice: CursorNotice) => void) {
    this.path = path;
    this.#access = access;
    this.#notice = notice;
  }

  /** True once there was a file to read. */
  get found(): boolean {
    return this.#found;
  }

  /** Gives the last `lines` lines (undefined: all there is) and stays behind them if asked to `follow`. */
  start(lines: number | undefined, follow: boolean, sink: Sink): void {
    const chain: LogFile[] = [];
    const closed = new Set<LogFile>();
    const scan = lines === undefined ? undefined : new LastLinesScan(lines);
    let from: number | undefined;
    let wanted = 0;
    for (const file of this.#openNewestFirst()) {
      chain.push(file);
      if (from === undefined) {
        from = scan?.scan({ size: file.size, read: (into, length, at) => readAt(file, into, length, at) });
        wanted = chain.length;
      }
      if (chain.length > HELD_OPEN) {
        closeLog(file);
        closed.add(file);
      }
      if (from !== undefined && (!follow || chain.length > KEPT_OPEN)) break;
    }
    this.#found = chain.length > 0;
    if (scan?.cut) this.#tell(lineCut((chain[wanted - 1] as LogFile).path, from ?? 0));
    for (let i = wanted - 1; i >= 0; i--) {
      const file = chain[i] as LogFile;
      const first = i === wanted - 1 ? (from ?? 0) : 0;
      if (closed.has(file)) this.#copyAgain(file, first, sink);
      else copyOut(file, first, file.size, sink);
    }
    const [newest, ...older] = chain.filter((file) => !closed.has(file));
    if (newest === undefined) return;
    if (!follow) {
      for (const file of [newest, ...older]) closeLog(file);
      return;
    }
    this.#current = new Position(newest, newest.size);
    leaveOutCopy(older, newest);
    this.#remember(older, older[0] && new Position(older[0], older[0].size));
  }

  /**
   * Gives what has been written since, across any number of rotations; or only a part, if it is very much.
   * Returns whether it was all.
   */
  advance(sink: Sink): boolean {
    if (this.#former !== undefined && !this.#former.isIntact()) this.#forgetFormer();
    if (this.#current !== undefined) {
      if (this.#wasTruncated(this.#current)) this.#afterTruncation(this.#current, sink);
      this.#former?.drain(sink);
      if (!this.#current.drain(sink, MOST_AT_ONCE)) return false;
      const id = idOf(this.path, this.#access);
      if (id === undefined || id === this.#current.file.id) return true;
    }
    const opened = openLog(this.path, this.#access);
    if ('problem' in opened) this.#tell(opened.problem);
    if ('file' in opened) this.#afterRename(opened.file, sink);
    return true;
  }

  /** Gives the rest: nothing more will be written. */
  finish(sink: Sink): void {
    for (let attempt = 0; attempt < 10; attempt++) {
      while (!this.advance(sink));
      if (idOf(this.path, this.#access) === this.#current?.file.id) return;
    }
    // Ended between two steps of a rotation: newer backups, but no newest file.
    if (idOf(this.path, this.#access) === undefined) this.#afterRename(undefined, sink);
  }

  /** Lets go of backups that were deleted, so that their space is given back. */
  forgetDeleted(): void {
    if (this.#former !== undefined && statLog(this.#former.file).deleted) this.#forgetFormer();
    this.#known = this.#known.filter((file) => {
      const { deleted } = statLog(file);
      if (deleted) closeLog(file);
      return !deleted;
    });
  }

  close(): void {
    for (const file of this.#known) closeLog(file);
    if (this.#current !== undefined) closeLog(this.#current.file);
    this.#known = [];
    this.#former = undefined;
    this.#current = undefined;
  }

  /** Each file once, though a rotation may move it to the next name while we look. */
  *#openNewestFirst(): Generator<LogFile> {
    const seen = new Set<string>();
    for (const path of [this.path, ...this.#backupPaths()]) {
      const opened = openLog(path, this.#access);
      if ('problem' in opened) this.#tell(opened.problem);
      if (!('file' in opened)) continue;
      if (seen.has(opened.file.id)) {
        closeLog(opened.file);
      } else {
        seen.add(opened.file.id);
        yield opened.file;
      }
    }
  }

  /** Gives a backup that was closed again; a rotation may have moved it on meanwhile. */
  #copyAgain({ id, path, size }: LogFile, from: number, sink: Sink): void {
    const number = backupOfName(basename(path), basename(this.path)) ?? 0;
    for (let moved = 0; moved <= KEPT_OPEN; moved++) {
      const opened = openLog(backupName(this.path, number + moved), this.#access);
      if (!('file' in opened)) continue;
      const { file } = opened;
      if (file.id === id) copyOut(file, from, size, sink);
      closeLog(file);
      if (file.id === id) return;
    }
    this.#notice({ kind: 'overtaken' });
  }

  #backupPaths(): string[] {
    const tell = (problem: Problem) => this.#tell(problem);
    const numbers = listBackups(dirname(this.path), basename(this.path), this.#access, tell);
    // One more: a rotation may be moving them up right now.
    numbers.push((numbers.at(-1) ?? 0) + 1);
    return numbers.map((number) => backupName(this.path, number));
  }

  #openUnseen(except: LogFile | undefined): Unseen {
    const unseen: Unseen = { newer: [], older: [], metCurrent: false };
    const ids = new Set(except === undefined ? [] : [except.id]);
    for (const path of this.#backupPaths()) {
      const opened = openLog(path, this.#access);
      if ('problem' in opened) this.#tell(opened.problem);
      if (!('file' in opened)) continue;
      const { id } = opened.file;
      const isCurrent = id === this.#current?.file.id;
      const isKnown = this.#known.some((file) => file.id === id);
      if (isCurrent || isKnown || ids.has(id)) {
        closeLog(opened.file);
        if (isCurrent) unseen.metCurrent = true;
        if (isKnown) break;
        continue;
      }
      ids.add(id);
      (unseen.metCurrent ? unseen.older : unseen.newer).push(opened.file);
    }
    return unseen;
  }

  /** The path names another file, or none any more: read on in the order in which they were written. */
  #afterRename(next: LogFile | undefined, sink: Sink): void {
    const previous = this.#current;
    const { newer, older, metCurrent } = this.#openUnseen(next);
    for (const file of older) closeLog(file);
    if (next !== undefined) leaveOutCopy(newer, next);
    previous?.drain(sink);
    let former = previous;
    for (const file of newer.toReversed()) {
      former = new Position(file, 0);
      former.drain(sink);
    }
    if (previous !== undefined && !metCurrent && newer.length > 0) this.#notice({ kind: 'overtaken' });
    this.#remember(previous === undefined ? newer : [...newer, previous.file], former);
    this.#current = undefined;
    if (next === undefined) return;
    this.#found = true;
    this.#current = new Position(next, 0);
    this.#current.drain(sink);
  }

  #afterTruncation(current: Position, sink: Sink): void {
    const { newer, older, metCurrent } = this.#openUnseen(undefined);
    // If it was renamed as well, what is newer than itself comes later.
    if (metCurrent) for (const file of newer) closeLog(file);
    else leaveOutCopy(newer, current.file);
    const unseen = metCurrent ? older : newer;
    const oldestFirst = unseen.toReversed();
    const kinds = oldestFirst.map((file) => current.copiedTo(file));
    const copy = kinds.includes('whole') ? kinds.indexOf('whole') : kinds.indexOf('part');
    let former: Position | undefined;
    oldestFirst.forEach((file, i) => {
      former = i === copy ? current.continuedIn(file) : new Position(file, i < copy ? file.size : 0);
      former.drain(sink);
    });
    if (copy === -1) this.#notice({ kind: unseen.length > 0 ? 'overtaken' : 'truncated' });
    this.#remember(unseen, former);
    this.#current = new Position(current.file, 0);
  }

  #wasTruncated(current: Position): boolean {
    if (!current.isIntact()) return true;
    // When nothing or very little of it had been read, only new copies can tell.
    // In the middle of a rotation the newest is number 2.
    const newest =
      idOf(backupName(this.path, 1), this.#access) ?? idOf(backupName(this.path, 2), this.#access);
    if (newest === undefined || this.#known.some((file) => file.id === newest)) return false;
    if (newest !== current.file.id && idOf(this.path, this.#access) !== current.file.id) return false;
    const { newer, older, metCurrent } = this.#openUnseen(undefined);
    // An empty copy says nothing.
    const oldest = (metCurrent ? older : newer).findLast((file) => file.size > 0);
    const truncated =
      oldest !== undefined && current.copiedTo(oldest) !== 'no' && !isBeginningOf(oldest, current.file);
    for (const file of [...newer, ...older]) closeLog(file);
    return truncated;
  }

  /** Something else stands in it now, or nobody can see it: it is none of those that were read. */
  #forgetFormer(): void {
    const file = this.#former?.file;
    this.#former = undefined;
    if (file === undefined) return;
    this.#known = this.#known.filter((known) => known !== file);
    closeLog(file);
  }

  #remember(newer: readonly LogFile[], former: Position | undefined): void {
    const all = [...newer, ...this.#known];
    for (const file of all.slice(KEPT_OPEN)) closeLog(file);
    this.#known = all.slice(0, KEPT_OPEN);
    this.#former = former ?? this.#former;
  }

  #tell(problem: Problem): void {
    const key = `${problem.code} ${problem.path}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#notice({ kind: 'problem', problem });
  }
}

/**
 * Takes the newest backup off the list if it is the newest file's own copy, made at this moment to truncate it
 * next: it will be found new then.
 */
function leaveOutCopy(backups: LogFile[], newest: LogFile): void {
  const [copy] = backups;
  if (copy === undefined || copy.size === 0 || !isBeginningOf(copy, newest)) return;
  closeLog(copy);
  backups.shift();
}

function lineCut(path: string, offset: number): Problem {
  return {
    code: 'log-line-cut',
    severity: 'warning',
    message: `${path} has a line that is too long to be looked through: it is printed from byte ${offset} on`,
    path,
    offset,
  };
}
