import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isShortage, shortageRemedy } from '../errors/shortage.js';
import type { CopyTarget, NewCopy } from '../store/copy-target.js';
import { unreadable } from '../store/problems.js';
import { textOf } from '../store/walk.js';
import { size } from '../text/size.js';
import { notRegular } from './problems.js';
import type { Absent, FileType, Refused, SandboxEntry, SandboxFile, SandboxTree } from './sandbox-tree.js';

const PIECE = 1 << 20;
/** Runs of zeros of this length are left out of a file that has holes. */
const HOLE = 64 * 1024;
const ZEROS = Buffer.alloc(HOLE);

/** Entries of one directory; the user of a task may fill it at the cost of those who copy it. */
const MOST_ENTRIES = 100_000;

export interface CopyOptions {
  /** Replaces what has the name of a file. */
  readonly force: boolean;
  /** Copies links that lead out of what is copied, too. */
  readonly links: boolean;
}

export interface CopyShell {
  report(problem: Problem): void;
  /** Called often; files and links that are copied, and their bytes. */
  update(files: number, bytes: number): void;
  /** Called often. A promise if it is time to see whether the copying must end; resolves to true then. */
  breathe(): Promise<boolean> | undefined;
}

export interface Copied {
  files: number;
  bytes: number;
  /** False if the machine is short of something, or the shell ended it. */
  complete: boolean;
}

/** Ends the copying: what failed is reported. */
class Stop extends Error {}

export interface CopyPlaces {
  readonly tree: SandboxTree;
  /** The path of the tree, for messages. */
  readonly top: string;
  readonly target: CopyTarget;
  /** The path of the target, for messages. */
  readonly to: string;
}

/**
 * Copies an entry of a tree into a directory, under this name: contents, permission bits and times. A file gets its name when it is complete. What cannot be copied is
 * reported and left out; after a shortage, such as a full disk, nothing more is tried.
 */
export async function copyEntry(
  entry: SandboxEntry,
  name: string,
  places: CopyPlaces,
  options: CopyOptions,
  shell: CopyShell,
): Promise<Copied> {
  const copier = new Copier(entry, places, options, shell);
  try {
    await copier.copy(entry.names, entry.type, name);
    return { ...copier.copied, complete: true };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { ...copier.copied, complete: false };
  }
}

class Copier {
  readonly copied = { files: 0, bytes: 0 };
  readonly #source: SandboxEntry;
  readonly #places: CopyPlaces;
  readonly #options: CopyOptions;
  readonly #shell: CopyShell;
  /** The names of the copy from the target down. */
  readonly #way: string[] = [];
  #buffer: Buffer | undefined;

  constructor(source: SandboxEntry, places: CopyPlaces, options: CopyOptions, shell: CopyShell) {
    this.#source = source;
    this.#places = places;
    this.#options = options;
    this.#shell = shell;
  }

  async copy(names: readonly string[], type: FileType, name: string): Promise<void> {
    const ending = this.#shell.breathe();
    if (ending !== undefined && (await ending)) throw new Stop();
    this.#way.push(name);
    if (type === 'file') await this.#copyFile(names, name);
    else if (type === 'directory') await this.#copyDirectory(names, name);
    else if (type === 'link') await this.#copyLink(names, name);
    else this.#shell.report(notRegular(this.#pathOf(names), type, 'copied'));
    this.#way.pop();
  }

  async #copyDirectory(names: readonly string[], name: string): Promise<void> {
    const { tree, target } = this.#places;
    const looked = await tree.look(names, false);
    // Listed first: nothing is made of a directory that cannot be read.
    const listed = 'entry' in looked ? await tree.types(names, MOST_ENTRIES) : looked;
    if (!('entry' in looked) || !('entries' in listed)) {
      this.#unread(names, listed as Absent | Refused);
      return;
    }
    const { entry } = looked;
    if (entry.id === target.id) {
      this.#report('copy-refused', `${this.#pathOf(names)} is not copied: the copy would be in it`, names);
      return;
    }
    if (!this.#attempt(() => target.enter(name))) return;
    try {
      for (const each of listed.entries) await this.copy([...names, each.name], each.type, each.name);
    } finally {
      this.#attempt(() => target.leave(attributesOf(entry)));
    }
    if (listed.complete) return;
    const message = `${this.#pathOf(names)} has more than ${MOST_ENTRIES} entries: only ${MOST_ENTRIES} of them were copied`;
    this.#report('directory-too-large', message, names);
  }

  async #copyLink(names: readonly string[], name: string): Promise<void> {
    const looked = await this.#places.tree.look(names, false);
    if (!('entry' in looked) || looked.entry.target === undefined) {
      this.#unread(names, 'entry' in looked ? { absent: true } : looked);
      return;
    }
    const { entry } = looked;
    const linked = entry.target as string;
    const depth = names.length - this.#source.names.length - 1;
    if (!this.#options.links && !staysWithin(linked, depth)) {
      const message = `${this.#pathOf(names)} is not copied: it is a link to ${textOf(linked)}, which is outside of what is copied`;
      this.#report('link-left-out', message, names, '--links copies links as they are');
      return;
    }
    const make = () => this.#places.target.makeLink(name, linked, this.#options.force, attributesOf(entry));
    if (this.#attempt(make)) this.#count(1, 0);
  }

  async #copyFile(names: readonly string[], name: string): Promise<void> {
    const { tree, target } = this.#places;
    const opening = tree.open(names);
    const opened = opening instanceof Promise ? await opening : opening;
    if (!('file' in opened)) {
      this.#unread(names, opened);
      return;
    }
    const { file } = opened;
    const { bytes } = file.entry;
    try {
      if (bytes > PIECE && bytes > target.freeBytes()) {
        const free = size(target.freeBytes());
        const message = `${this.#pathOf(names)} is not copied: it has ${size(bytes)}, but only ${free} are free`;
        this.#report('file-too-large', message, names);
        return;
      }
      await this.#fill(file, target.makeFile(name, this.#options.force));
    } catch (error) {
      this.#failed(error);
    } finally {
      file.close();
    }
  }

  async #fill(file: SandboxFile, copy: NewCopy): Promise<void> {
    const { entry } = file;
    const sparse = entry.stored !== undefined && entry.stored < entry.bytes;
    this.#buffer ??= Buffer.allocUnsafe(PIECE);
    let offset = 0;
    try {
      while (offset < entry.bytes) {
        const ending = offset === 0 ? undefined : this.#shell.breathe();
        if (ending !== undefined && (await ending)) throw new Stop();
        const reading = file.readAt(this.#buffer, Math.min(PIECE, entry.bytes - offset), offset);
        const count = reading instanceof Promise ? await reading : reading;
        // It became shorter.
        if (count === 0) break;
        const piece = this.#buffer.subarray(0, count);
        if (sparse) writeWithoutHoles(copy, piece, offset);
        else copy.write(piece, offset);
        offset += count;
        this.#shell.update(this.copied.files, this.copied.bytes + offset);
      }
      if (sparse) copy.extend(offset);
    } catch (error) {
      copy.abandon();
      throw error;
    }
    copy.finish(attributesOf(entry));
    this.#count(1, offset);
  }

  #count(files: number, bytes: number): void {
    this.copied.files += files;
    this.copied.bytes += bytes;
    this.#shell.update(this.copied.files, this.copied.bytes);
  }

  /** False if it failed, which is reported. */
  #attempt(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    if (errnoOf(error) === undefined) throw error;
    this.#shell.report(failedCopy([this.#places.to, ...this.#way.map(textOf)].join('/'), error));
    if (isShortage(error)) throw new Stop();
  }

  #unread(names: readonly string[], why: Absent | Refused): void {
    if ('problem' in why) this.#shell.report(why.problem);
    else this.#report('file-missing', `${this.#pathOf(names)} vanished before it was copied`, names);
  }

  #report(code: Problem['code'], message: string, names: readonly string[], hint?: string): void {
    this.#shell.report({ code, severity: 'error', message, path: this.#pathOf(names), hint });
  }

  #pathOf(names: readonly string[]): string {
    return [this.#places.top, ...names.map(textOf)].join('/');
  }
}

/** The problem of a copy that cannot be made. */
export function failedCopy(path: string, error: unknown): Problem {
  const code = errnoOf(error);
  if (code === 'EEXIST') {
    const hint = '--force replaces files';
    return { code: 'copy-refused', severity: 'error', message: `${path} exists`, path, hint };
  }
  return {
    ...unreadable({ code: 'copy-failed', tried: `write ${path}`, error, path }),
    ...(isShortage(error) && { hint: shortageRemedy(error) }),
  };
}

/**
 * Does a link in a copied directory, `depth` directories below the top, lead to something in what is copied? Names
 * after `..` only lead down, or through another link of which the same holds. Pure.
 */
export function staysWithin(target: string, depth: number): boolean {
  const names = target.split('/').filter((name) => name !== '' && name !== '.');
  const ups = names.findIndex((name) => name !== '..');
  const rest = ups === -1 ? [] : names.slice(ups);
  return !target.startsWith('/') && names.length - rest.length <= depth && !rest.includes('..');
}

function attributesOf({ mode, mtime_ms, atime_ms = mtime_ms }: SandboxEntry) {
  return { mode, mtime_ms, atime_ms };
}

function writeWithoutHoles(copy: NewCopy, piece: Buffer, offset: number): void {
  for (let at = 0; at < piece.length; at += HOLE) {
    const part = piece.subarray(at, at + HOLE);
    if (!part.equals(ZEROS.subarray(0, part.length))) copy.write(part, offset + at);
  }
}
