import { basename, dirname } from 'node:path';
import type { Problem } from '../errors/problem.js';
import { backupName, backupOfName } from '../layout/backups.js';
import type { Awaitable } from '../task/gatherer.js';
import type { LineFilter } from './line-filter.js';
import { listBackups } from './log-files.js';
import { idAt, type LogHandle, type LogTree } from './log-tree.js';
import { copyOut, type Drained, isBeginningOf, Position, type Sink } from './position.js';
import { LastLinesScan } from './scan-back.js';
import { ChosenLinesScan, type Range } from './scan-chosen.js';
import { isBefore, type TimeWindow } from './time-window.js';

/** How many backups are kept open while following. */
const KEPT_OPEN = 8;
/** How many files stay open during the search for the last lines; older ones are opened again to be copied. */
const HELD_OPEN = 64;
/** How much is copied at once, so that signals are handled however fast the log grows. */
const MOST_AT_ONCE = 16 * 1024 * 1024;

/** What the user should know about how a log was read. */
export type CursorNotice = { kind: 'truncated' | 'overtaken' } | { kind: 'problem'; problem: Problem };

/** What is printed of what was written before. */
export interface Beginning {
  /** How many lines of those that the filter chooses; undefined: all. */
  lines: number | undefined;
  filter?: LineFilter;
  /** Leaves out files that were written before or after it. */
  window?: TimeWindow;
  /** Stays at the end of the log. */
  follow: boolean;
  /** Resolves when so many bytes may be copied out; undefined: at once. */
  mayCopy?: (bytes: number) => Awaitable<void>;
}

/** Backups that are new, each list newest first. */
interface Unseen {
  /** Newer than the current file; all of them if the current file is not among the backups. */
  newer: LogHandle[];
  /** Older than the current file, if that is a backup now. */
  older: LogHandle[];
  metCurrent: boolean;
}

/**
 * Reads one log, STREAM with its backups STREAM.1 (newest) … STREAM.N, as the single stream of bytes that was
 * written: first the last lines, then new output. It keeps the file open, so that after a rotation by renaming
 * the old file is read to its end before the new one; after copy-and-truncate the unread part is taken from the
 * copy. Backups that existed before stay open too: until they are closed, their inodes can't be reused, and it is
 * certain which backups are new.
 */
export class LogCursor {
  readonly path: string;
  readonly #tree: LogTree;
  readonly #notice: (notice: CursorNotice) => void;
  #found = false;
  #current: Position | undefined;
  /** Backups that were read or skipped, newest first. */
  #known: LogHandle[] = [];
  /** The newest of them: its writer may not have noticed the renaming yet. */
  #former: Position | undefined;
  readonly #reported = new Set<string>();
  /** How large the files were in which lines were searched at the start. */
  bytes = 0;

  constructor(path: string, tree: LogTree, notice: (notice: CursorNotice) => void) {
    this.path = path;
    this.#tree = tree;
    this.#notice = notice;
  }

  /** True once there was a file to read. */
  get found(): boolean {
    return this.#found;
  }

  /** Copies out the last lines and, with `follow`, stays at their end. */
  async start({ lines, filter, window = {}, follow, mayCopy }: Beginning, sink: Sink): Promise<void> {
    const chain: LogHandle[] = [];
    const closed = new Set<LogHandle>();
    const search = searchFor(lines, filter, follow);
    let wanted = 0;
    let isComplete = false;
    for await (const file of this.#openNewestFirst(window)) {
      chain.push(file);
      // The older ones were written even earlier.
      if (!isComplete && isBefore(file.modified_ms, window)) isComplete = true;
      if (!isComplete) {
        isComplete = await search.scan(file);
        wanted = chain.length;
      }
      this.bytes += file.size;
      if (chain.length > HELD_OPEN) {
        file.close();
        closed.add(file);
      }
      if (isComplete && (!follow || chain.length > KEPT_OPEN)) break;
    }
    this.#found = chain.length > 0;
    const cut = search.finish();
    if (cut !== undefined) this.#report(lineCut((chain[wanted - 1] as LogHandle).path, cut, filter));
    const files = chain.slice(0, wanted).reverse();
    const parts = files.flatMap((file) => search.ranges(file).map((range) => ({ file, range })));
    await mayCopy?.(parts.reduce((sum, { range: [from, to] }) => sum + to - from, 0));
    for (const { file, range } of parts) {
      if (closed.has(file)) await this.#copyAgain(file, ...range, sink);
      else await copyOut(file, ...range, sink);
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
   * Copies out what has been written since, across any number of rotations; or only a part, if it is very large.
   * Resolves to whether it was everything.
   */
  async advance(sink: Sink): Promise<boolean> {
    await this.#drainFormer(sink);
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
    if ('problem' in opened) this.#report(opened.problem);
    return 'file' in opened ? await this.#afterRename(opened.file, sink) : true;
  }

  /** Copies out the rest. Call it when nothing more will be written. */
  async finish(sink: Sink): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt++) {
      while (!(await this.advance(sink)));
      if ((await idAt(this.#tree, this.path)) === this.#current?.file.id) return;
    }
    // The writer ended between two steps of a rotation: there are newer backups, but no newest file.
    if ((await idAt(this.#tree, this.path)) === undefined) await this.#afterRename(undefined, sink);
  }

  /** Closes backups that were deleted, so that their disk space is freed. */
  async forgetDeleted(): Promise<void> {
    const former = this.#former;
    if (former !== undefined && !former.file.byContent && (await former.file.stat()).deleted)
      this.#forgetFormer();
    const known: LogHandle[] = [];
    for (const file of this.#known) {
      if (!file.byContent && (await file.stat()).deleted) file.close();
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

  /** Opens each file once, even if a rotation moves it to the next name meanwhile. */
  async *#openNewestFirst({ until }: TimeWindow): AsyncGenerator<LogHandle> {
    const seen = new Set<string>();
    const paths = [this.path, ...(await this.#backupPaths())];
    for (const [i, path] of paths.entries()) {
      // A file is written after the next older one.
      if (until !== undefined && (await this.#isAfter(until, paths.slice(i + 1)))) continue;
      const opened = await this.#tree.open(path);
      if ('problem' in opened) this.#report(opened.problem);
      if (!('file' in opened)) continue;
      if (seen.has(opened.file.id)) {
        opened.file.close();
      } else {
        seen.add(opened.file.id);
        yield opened.file;
      }
    }
  }

  /** Whether the first of these files that exists was last written after the time. */
  async #isAfter(time: number, paths: readonly string[]): Promise<boolean> {
    for (const path of paths) {
      const stat = await this.#tree.stat(path);
      if ('id' in stat) return stat.modified_ms !== undefined && stat.modified_ms > time;
    }
    return false;
  }

  /** Copies out a backup that was closed meanwhile; a rotation may have moved it. */
  async #copyAgain({ id, path }: LogHandle, from: number, to: number, sink: Sink): Promise<void> {
    const number = backupOfName(basename(path), basename(this.path)) ?? 0;
    for (let moved = 0; moved <= KEPT_OPEN; moved++) {
      const opened = await this.#tree.open(backupName(this.path, number + moved));
      if (!('file' in opened)) continue;
      const { file } = opened;
      if (file.id === id) await copyOut(file, from, to, sink);
      file.close();
      if (file.id === id) return;
    }
    this.#notice({ kind: 'overtaken' });
  }

  async #backupPaths(): Promise<string[]> {
    const report = (problem: Problem) => this.#report(problem);
    const numbers = await listBackups(dirname(this.path), basename(this.path), this.#tree, report);
    // One more, because a rotation may be renaming them right now.
    numbers.push((numbers.at(-1) ?? 0) + 1);
    return numbers.map((number) => backupName(this.path, number));
  }

  async #openUnseen(except: LogHandle | undefined): Promise<Unseen> {
    const unseen: Unseen = { newer: [], older: [], metCurrent: false };
    const ids = new Set(except === undefined ? [] : [except.id]);
    for (const path of await this.#backupPaths()) {
      const opened = await this.#tree.open(path);
      if ('problem' in opened) this.#report(opened.problem);
      if (!('file' in opened)) continue;
      const { id } = opened.file;
      const isCurrent = id === this.#current?.file.id;
      const isKnown =
        this.#known.some((file) => file.id === id) ||
        (!isCurrent && (await this.#recognizesFormer(opened.file)));
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
   * The path names a different file now, or none: reads the files in the order in which they were written. Resolves to
   * false, with nothing done, if the file that was being read was truncated before.
   */
  async #afterRename(next: LogHandle | undefined, sink: Sink): Promise<boolean> {
    const previous = this.#current;
    const { newer, older, metCurrent } = await this.#openUnseen(next);
    for (const file of older) file.close();
    if (next !== undefined) await leaveOutCopy(newer, next);
    await this.#drainFormer(sink);
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

  /** Continues to read the current file, which may be truncated at any moment. */
  #drain(current: Position, sink: Sink): Promise<Drained> {
    return current.drain(sink, MOST_AT_ONCE, async (got) => {
      // They may be what was written after a rotation.
      if (got > 0) this.#tree.refresh?.(this.path);
      return !(await this.#wasTruncated(current));
    });
  }

  async #afterTruncation(current: Position, sink: Sink): Promise<void> {
    this.#tree.refresh?.(this.path);
    const { newer, older, metCurrent } = await this.#openUnseen(undefined);
    // If it was renamed as well, the files newer than it are read later.
    if (metCurrent) for (const file of newer) file.close();
    else await leaveOutCopy(newer, current.file);
    await this.#drainFormer(sink);
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
    // If little or nothing of it had been read, only new copies can show this.
    // During a rotation the newest is number 2.
    const newest =
      (await idAt(this.#tree, backupName(this.path, 1))) ??
      (await idAt(this.#tree, backupName(this.path, 2)));
    if (newest === undefined || this.#known.some((file) => file.id === newest)) return false;
    if (newest !== current.file.id && (await idAt(this.#tree, this.path)) !== current.file.id) return false;
    const { newer, older, metCurrent } = await this.#openUnseen(undefined);
    // An empty copy proves nothing.
    const oldest = (metCurrent ? older : newer).findLast((file) => file.size > 0);
    const truncated =
      oldest !== undefined &&
      (await current.copiedTo(oldest)) !== 'no' &&
      !(await isBeginningOf(oldest, current.file));
    for (const file of [...newer, ...older]) file.close();
    return truncated;
  }

  async #drainFormer(sink: Sink): Promise<void> {
    const former = this.#former;
    if (former === undefined) return;
    const { offset, file } = former;
    if ((await former.drain(sink)) === 'changed') {
      // One that is known by its contents may have got another name, under which it is found again.
      if (!file.byContent) this.#forgetFormer();
      return;
    }
    if (!file.byContent || former.offset === offset) return;
    this.#tree.refresh?.(file.path);
    const opened = await this.#tree.open(file.path);
    if ('file' in opened) await this.#recognizesFormer(opened.file);
  }

  /** Whether this is the newest backup that was read, in which its writer has gone on; it is known by its new id then. */
  async #recognizesFormer(grown: LogHandle): Promise<boolean> {
    const former = this.#former;
    if (former === undefined || !grown.byContent || former.offset === 0) return false;
    if ((await former.copiedTo(grown)) !== 'whole') return false;
    this.#known = this.#known.map((known) => (known === former.file ? grown : known));
    this.#former = await former.continuedIn(grown);
    return true;
  }

  /** Its contents changed or it was deleted, so it no longer counts as a file that was read. */
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

  #report(problem: Problem): void {
    const key = `${problem.code} ${problem.path}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#notice({ kind: 'problem', problem });
  }
}

/**
 * Removes the newest backup from the list if it is a copy of the newest file, made just before a truncation: after
 * the truncation it is found as a new backup.
 */
async function leaveOutCopy(backups: LogHandle[], newest: LogHandle): Promise<void> {
  const [copy] = backups;
  if (copy === undefined || copy.size === 0 || !(await isBeginningOf(copy, newest))) return;
  copy.close();
  backups.shift();
}

interface Search {
  /** Searches the next older file. Resolves to whether nothing older is needed. */
  scan(file: LogHandle): Awaitable<boolean>;
  /** Call it after the last file. Returns the offset in that file where the search stopped in a line, if it did. */
  finish(): number | undefined;
  ranges(file: LogHandle): Range[];
}

function searchFor(lines: number | undefined, filter: LineFilter | undefined, follow: boolean): Search {
  if (lines === undefined) {
    return { scan: () => false, finish: () => undefined, ranges: ({ size }) => [[0, size]] };
  }
  if (filter !== undefined) {
    const scan = new ChosenLinesScan(lines, filter, { keepsEnd: follow });
    return {
      scan: (file) => scan.scan(file),
      finish: () => {
        if (scan.cut === undefined) scan.finish();
        return scan.cut;
      },
      ranges: (file) => scan.ranges(file),
    };
  }
  const scan = new LastLinesScan(lines);
  let oldest: { file: LogHandle; from: number } | undefined;
  return {
    scan: async (file) => {
      const from = await scan.scan(file);
      if (from !== undefined) oldest = { file, from };
      return from !== undefined;
    },
    finish: () => (scan.cut ? oldest?.from : undefined),
    ranges: (file) => [[file === oldest?.file ? oldest.from : 0, file.size]],
  };
}

function lineCut(path: string, offset: number, filter: LineFilter | undefined): Problem {
  const what =
    filter === undefined
      ? `it is printed from byte ${offset} on`
      : `no line that begins before byte ${offset} is searched`;
  return {
    code: 'log-line-cut',
    severity: 'warning',
    message: `${path} has a line that is too long to search: ${what}`,
    path,
    offset,
  };
}
