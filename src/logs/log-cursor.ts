import { basename, dirname } from 'node:path';
import type { Problem } from '../errors/problem.js';
import { backupName, backupOfName } from '../layout/backups.js';
import { listBackups } from './log-files.js';
import { idAt, type LogHandle, type LogTree } from './log-tree.js';
import { copyOut, type Drained, isBeginningOf, Position, type Sink } from './position.js';
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
  newer: LogHandle[];
  /** Older than the current file, if that is now a backup. */
  older: LogHandle[];
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
  readonly #tree: LogTree;
  readonly #notice: (notice: CursorNotice) => void;
  #found = false;
  #current: Position | undefined;
  /** Backups that were read or left out, newest first. */
  #known: LogHandle[] = [];
  /** The newest of them: after a renaming its writer may not have noticed yet. */
  #former: Position | undefined;
  readonly #told = new Set<string>();

  constructor(path: string, tree: LogTree, notice: (notice: CursorNotice) => void) {
    this.path = path;
    this.#tree = tree;
    this.#notice = notice;
  }

  /** True once there was a file to read. */
  get found(): boolean {
    return this.#found;
  }

  /** Gives the last `lines` lines (undefined: all there is) and stays behind them if asked to `follow`. */
  async start(lines: number | undefined, follow: boolean, sink: Sink): Promise<void> {
    const chain: LogHandle[] = [];
    const closed = new Set<LogHandle>();
    const scan = lines === undefined ? undefined : new LastLinesScan(lines);
    let from: number | undefined;
    let wanted = 0;
    for await (const file of this.#openNewestFirst()) {
      chain.push(file);
      if (from === undefined) {
        from = await scan?.scan(file);
        wanted = chain.length;
      }
      if (chain.length > HELD_OPEN) {
        file.close();
        closed.add(file);
      }
      if (from !== undefined && (!follow || chain.length > KEPT_OPEN)) break;
    }
    this.#found = chain.length > 0;
    if (scan?.cut) this.#tell(lineCut((chain[wanted - 1] as LogHandle).path, from ?? 0));
    for (let i = wanted - 1; i >= 0; i--) {
      const file = chain[i] as LogHandle;
      const first = i === wanted - 1 ? (from ?? 0) : 0;
      if (closed.has(file)) await this.#copyAgain(file, first, sink);
      else await copyOut(file, first, file.size, sink);
    }
    const [newest, ...older] = chain.filter((file) => !closed.has(file));
    if (newest === undefined) return;
    if (!follow) {
      for (const file of [newest, ...older]) file.close();
      return;
    }
    this.#current = await Position.at(newest, newest.size);
    await leaveOutCopy(older, newest);
    this.#remember(older, older[0] && (await Position.at(older[0], older[0].size)));
  }

  /**
   * Gives what has been written since, across any number of rotations; or only a part, if it is very much.
   * Resolves to whether it was all.
   */
  async advance(sink: Sink): Promise<boolean> {
    if ((await this.#former?.drain(sink)) === 'changed') this.#forgetFormer();
    if (this.#current !== undefined) {
      let drained = await this.#drain(this.#current, sink);
      if (drained === 'changed') {
        await this.#afterTruncation(this.#current, sink);
        drained = await this.#drain(this.#current, sink);
      }
      if (drained !== 'whole') return false;
      const id = await idAt(this.#tree, this.path);
      if (id === undefined || id === this.#current.file.id) return true;
    }
    const opened = await this.#tree.open(this.path);
    if ('problem' in opened) this.#tell(opened.problem);
    return 'file' in opened ? await this.#afterRename(opened.file, sink) : true;
  }

  /** Gives the rest: nothing more will be written. */
  async finish(sink: Sink): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt++) {
      while (!(await this.advance(sink)));
      if ((await idAt(this.#tree, this.path)) === this.#current?.file.id) return;
    }
    // Ended between two steps of a rotation: newer backups, but no newest file.
    if ((await idAt(this.#tree, this.path)) === undefined) await this.#afterRename(undefined, sink);
  }

  /** Lets go of backups that were deleted, so that their space is given back. */
  async forgetDeleted(): Promise<void> {
    if (this.#former !== undefined && (await this.#former.file.stat()).deleted) this.#forgetFormer();
    const known: LogHandle[] = [];
    for (const file of this.#known) {
      if ((await file.stat()).deleted) file.close();
      else known.push(file);
    }
    this.#known = known;
  }

  close(): void {
    for (const file of this.#known) file.close();
    this.#current?.file.close();
    this.#known = [];
    this.#former = undefined;
    this.#current = undefined;
  }

  /** Each file once, though a rotation may move it to the next name while we look. */
  async *#openNewestFirst(): AsyncGenerator<LogHandle> {
    const seen = new Set<string>();
    for (const path of [this.path, ...(await this.#backupPaths())]) {
      const opened = await this.#tree.open(path);
      if ('problem' in opened) this.#tell(opened.problem);
      if (!('file' in opened)) continue;
      if (seen.has(opened.file.id)) {
        opened.file.close();
      } else {
        seen.add(opened.file.id);
        yield opened.file;
      }
    }
  }

  /** Gives a backup that was closed again; a rotation may have moved it on meanwhile. */
  async #copyAgain({ id, path, size }: LogHandle, from: number, sink: Sink): Promise<void> {
    const number = backupOfName(basename(path), basename(this.path)) ?? 0;
    for (let moved = 0; moved <= KEPT_OPEN; moved++) {
      const opened = await this.#tree.open(backupName(this.path, number + moved));
      if (!('file' in opened)) continue;
      const { file } = opened;
      if (file.id === id) await copyOut(file, from, size, sink);
      file.close();
      if (file.id === id) return;
    }
    this.#notice({ kind: 'overtaken' });
  }

  async #backupPaths(): Promise<string[]> {
    const tell = (problem: Problem) => this.#tell(problem);
    const numbers = await listBackups(dirname(this.path), basename(this.path), this.#tree, tell);
    // One more: a rotation may be moving them up right now.
    numbers.push((numbers.at(-1) ?? 0) + 1);
    return numbers.map((number) => backupName(this.path, number));
  }

  async #openUnseen(except: LogHandle | undefined): Promise<Unseen> {
    const unseen: Unseen = { newer: [], older: [], metCurrent: false };
    const ids = new Set(except === undefined ? [] : [except.id]);
    for (const path of await this.#backupPaths()) {
      const opened = await this.#tree.open(path);
      if ('problem' in opened) this.#tell(opened.problem);
      if (!('file' in opened)) continue;
      const { id } = opened.file;
      const isCurrent = id === this.#current?.file.id;
      const isKnown = this.#known.some((file) => file.id === id);
      if (isCurrent || isKnown || ids.has(id)) {
        opened.file.close();
        if (isCurrent) unseen.metCurrent = true;
        if (isKnown) break;
        continue;
      }
      ids.add(id);
      (unseen.metCurrent ? unseen.older : unseen.newer).push(opened.file);
    }
    return unseen;
  }

  /**
   * The path names another file, or none any more: read on in the order in which they were written. Resolves to false,
   * with nothing done, if the file that was read has been truncated before.
   */
  async #afterRename(next: LogHandle | undefined, sink: Sink): Promise<boolean> {
    const previous = this.#current;
    const { newer, older, metCurrent } = await this.#openUnseen(next);
    for (const file of older) file.close();
    if (next !== undefined) await leaveOutCopy(newer, next);
    if ((await previous?.drain(sink)) === 'changed') {
      for (const file of newer) file.close();
      next?.close();
      return false;
    }
    let former = previous;
    for (const file of newer.toReversed()) {
      former = await Position.at(file, 0);
      await former.drain(sink);
    }
    if (previous !== undefined && !metCurrent && newer.length > 0) this.#notice({ kind: 'overtaken' });
    this.#remember(previous === undefined ? newer : [...newer, previous.file], former);
    this.#current = undefined;
    if (next === undefined) return true;
    this.#found = true;
    this.#current = await Position.at(next, 0);
    return (await this.#drain(this.#current, sink)) === 'whole';
  }

  /** Reads the current file on; it may be truncated at any moment. */
  #drain(current: Position, sink: Sink): Promise<Drained> {
    return current.drain(sink, MOST_AT_ONCE, async () => !(await this.#wasTruncated(current)));
  }

  async #afterTruncation(current: Position, sink: Sink): Promise<void> {
    const { newer, older, metCurrent } = await this.#openUnseen(undefined);
    // If it was renamed as well, what is newer than itself comes later.
    if (metCurrent) for (const file of newer) file.close();
    else await leaveOutCopy(newer, current.file);
    const unseen = metCurrent ? older : newer;
    const oldestFirst = unseen.toReversed();
    const kinds: Awaited<ReturnType<Position['copiedTo']>>[] = [];
    for (const file of oldestFirst) kinds.push(await current.copiedTo(file));
    const copy = kinds.includes('whole') ? kinds.indexOf('whole') : kinds.indexOf('part');
    let former: Position | undefined;
    for (const [i, file] of oldestFirst.entries()) {
      const continued = i === copy ? current.continuedIn(file) : Position.at(file, i < copy ? file.size : 0);
      former = await continued;
      await former.drain(sink);
    }
    if (copy === -1) this.#notice({ kind: unseen.length > 0 ? 'overtaken' : 'truncated' });
    this.#remember(unseen, former);
    this.#current = await Position.at(current.file, 0);
  }

  async #wasTruncated(current: Position): Promise<boolean> {
    if (!(await current.isIntact())) return true;
    // When nothing or very little of it had been read, only new copies can tell.
    // In the middle of a rotation the newest is number 2.
    const newest =
      (await idAt(this.#tree, backupName(this.path, 1))) ??
      (await idAt(this.#tree, backupName(this.path, 2)));
    if (newest === undefined || this.#known.some((file) => file.id === newest)) return false;
    if (newest !== current.file.id && (await idAt(this.#tree, this.path)) !== current.file.id) return false;
    const { newer, older, metCurrent } = await this.#openUnseen(undefined);
    // An empty copy says nothing.
    const oldest = (metCurrent ? older : newer).findLast((file) => file.size > 0);
    const truncated =
      oldest !== undefined &&
      (await current.copiedTo(oldest)) !== 'no' &&
      !(await isBeginningOf(oldest, current.file));
    for (const file of [...newer, ...older]) file.close();
    return truncated;
  }

  /** Something else stands in it now, or nobody can see it: it is none of those that were read. */
  #forgetFormer(): void {
    const file = this.#former?.file;
    this.#former = undefined;
    if (file === undefined) return;
    this.#known = this.#known.filter((known) => known !== file);
    file.close();
  }

  #remember(newer: readonly LogHandle[], former: Position | undefined): void {
    const all = [...newer, ...this.#known];
    for (const file of all.slice(KEPT_OPEN)) file.close();
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
async function leaveOutCopy(backups: LogHandle[], newest: LogHandle): Promise<void> {
  const [copy] = backups;
  if (copy === undefined || copy.size === 0 || !(await isBeginningOf(copy, newest))) return;
  copy.close();
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
