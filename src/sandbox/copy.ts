import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isShortage, shortageRemedy } from '../errors/shortage.js';
import type { CopyTarget, NewCopy } from '../store/copy-target.js';
import { unreadable } from '../store/problems.js';
import { textOf } from '../store/walk.js';
import { size } from '../text/size.js';
import type { SandboxEntry, SandboxFile, SandboxTree } from './sandbox-tree.js';

const PIECE = 1 << 20;
/** Runs of zeros of this length are left out of a file that has holes. */
const HOLE = 64 * 1024;
const ZEROS = Buffer.alloc(HOLE);

/** Entries of one directory; the user of a task may fill it at the cost of whoever copies it. */
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
  /** Called often. True if the copying must end. */
  breathe(): Promise<boolean>;
}

export interface Copied {
  files: number;
  bytes: number;
  /** False if the machine is short of something, or the shell ended it. */
  complete: boolean;
}

const KINDS = {
  fifo: 'FIFO',
  socket: 'socket',
  'block-device': 'device',
  'character-device': 'device',
} as const;

/** Ends the copying: what failed is reported. */
class Stop extends Error {}

/**
 * Copies an entry of a tree into a directory, under this name: contents, permission bits and times. `top`: the path of the
 * tree, for messages; `to`: that of the directory. A file gets its name when it is complete. What cannot be copied is
 * reported and left out; after a shortage, such as a full disk, nothing more is tried.
 */
export async function copyEntry(
  entry: SandboxEntry,
  name: string,
  places: { tree: SandboxTree; top: string; target: CopyTarget; to: string },
  options: CopyOptions,
  shell: CopyShell,
): Promise<Copied> {
  const copier = new Copier(entry, places, options, shell);
  try {
    await copier.copy(entry, name, [name]);
    return { ...copier.copied, complete: true };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { ...copier.copied, complete: false };
  }
}

class Copier {
  readonly copied = { files: 0, bytes: 0 };
  readonly #source: SandboxEntry;
  readonly #places: Parameters<typeof copyEntry>[2];
  readonly #options: CopyOptions;
  readonly #shell: CopyShell;
  #buffer: Buffer | undefined;

  constructor(
    source: SandboxEntry,
    places: Parameters<typeof copyEntry>[2],
    options: CopyOptions,
    shell: CopyShell,
  ) {
    this.#source = source;
    this.#places = places;
    this.#options = options;
    this.#shell = shell;
  }

  /** `way`: the names of the copy from the target down. */
  async copy(entry: SandboxEntry, name: string, way: readonly string[]): Promise<void> {
    if (await this.#shell.breathe()) throw new Stop();
    switch (entry.type) {
      case 'file':
        return this.#copyFile(entry, name, way);
      case 'directory':
        return this.#copyDirectory(entry, name, way);
      case 'link':
        return this.#copyLink(entry, name, way);
      default:
        this.#report(
          'file-not-regular',
          `${this.#pathOf(entry)} is not copied: it is a ${KINDS[entry.type]}`,
          entry,
        );
    }
  }

  async #copyDirectory(entry: SandboxEntry, name: string, way: readonly string[]): Promise<void> {
    const { tree, target } = this.#places;
    if (entry.id === target.id) {
      this.#report('copy-refused', `${this.#pathOf(entry)} is not copied: the copy would be in it`, entry);
      return;
    }
    // Listed first: nothing is made of a directory that cannot be read.
    const listed = await tree.list(entry.names, MOST_ENTRIES);
    if (!('entries' in listed)) {
      if ('problem' in listed) this.#shell.report(listed.problem);
      else this.#vanished(entry);
      return;
    }
    if (!this.#attempt(way, () => target.enter(name))) return;
    try {
      for (const each of listed.entries) {
        const child = each.names.at(-1) as string;
        await this.copy(each, child, [...way, child]);
      }
    } finally {
      this.#attempt(way, () => target.leave(attributesOf(entry)));
    }
    if (listed.complete) return;
    const message = `${this.#pathOf(entry)} has more than ${MOST_ENTRIES} entries: only ${MOST_ENTRIES} of them were copied`;
    this.#report('directory-too-large', message, entry);
  }

  #copyLink(entry: SandboxEntry, name: string, way: readonly string[]): void {
    const { target: linked } = entry;
    if (linked === undefined) {
      this.#vanished(entry);
      return;
    }
    const depth = entry.names.length - this.#source.names.length - 1;
    if (!this.#options.links && !staysWithin(linked, depth)) {
      const message = `${this.#pathOf(entry)} is not copied: it is a link to ${textOf(linked)}, out of what is copied`;
      this.#report('link-left-out', message, entry, '--links copies links as they are');
      return;
    }
    const make = () => this.#places.target.makeLink(name, linked, this.#options.force, attributesOf(entry));
    if (this.#attempt(way, make)) this.#count(1, 0);
  }

  async #copyFile({ names }: SandboxEntry, name: string, way: readonly string[]): Promise<void> {
    const { tree, target } = this.#places;
    const opened = await tree.open(names, false);
    if (!('file' in opened)) {
      if ('problem' in opened) this.#shell.report(opened.problem);
      else this.#vanished({ names });
      return;
    }
    const { file } = opened;
    const { entry } = file;
    try {
      if (entry.bytes > PIECE && entry.bytes > target.freeBytes()) {
        const free = size(target.freeBytes());
        const message = `${this.#pathOf(entry)} is not copied: it has ${size(entry.bytes)}, and ${free} are free`;
        this.#report('file-too-large', message, entry);
        return;
      }
      let copy: NewCopy | undefined;
      if (
        !this.#attempt(way, () => {
          copy = target.makeFile(name, this.#options.force);
        })
      )
        return;
      await this.#fill(file, copy as unknown as NewCopy, way);
    } finally {
      file.close();
    }
  }

  async #fill(file: SandboxFile, copy: NewCopy, way: readonly string[]): Promise<void> {
    const { entry } = file;
    const sparse = entry.stored !== undefined && entry.stored < entry.bytes;
    this.#buffer ??= Buffer.allocUnsafe(PIECE);
    let offset = 0;
    let open = true;
    try {
      while (offset < entry.bytes) {
        if (offset > 0 && (await this.#shell.breathe())) throw new Stop();
        const count = await file.readAt(this.#buffer, Math.min(PIECE, entry.bytes - offset), offset);
        // It became shorter.
        if (count === 0) break;
        const piece = this.#buffer.subarray(0, count);
        if (sparse) writeWithoutHoles(copy, piece, offset);
        else copy.write(piece, offset);
        offset += count;
        this.#shell.update(this.copied.files, this.copied.bytes + offset);
      }
      if (sparse) copy.extend(offset);
      open = false;
      copy.finish(attributesOf(entry));
      this.#count(1, offset);
    } catch (error) {
      if (open) copy.abandon();
      if (error instanceof Stop) throw error;
      this.#failed(way, error);
    }
  }

  #count(files: number, bytes: number): void {
    this.copied.files += files;
    this.copied.bytes += bytes;
    this.#shell.update(this.copied.files, this.copied.bytes);
  }

  /** False if it failed, which is reported. */
  #attempt(way: readonly string[], action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#failed(way, error);
      return false;
    }
  }

  #failed(way: readonly string[], error: unknown): void {
    if (errnoOf(error) === undefined) throw error;
    const path = [this.#places.to, ...way.map(textOf)].join('/');
    this.#shell.report(failedCopy(path, error));
    if (isShortage(error)) throw new Stop();
  }

  #vanished({ names }: Pick<SandboxEntry, 'names'>): void {
    this.#report('file-missing', `${this.#pathOf({ names })} vanished before it was copied`, { names });
  }

  #report(
    code: Problem['code'],
    message: string,
    { names }: Pick<SandboxEntry, 'names'>,
    hint?: string,
  ): void {
    this.#shell.report({ code, severity: 'error', message, path: this.#pathOf({ names }), hint });
  }

  #pathOf({ names }: Pick<SandboxEntry, 'names'>): string {
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
 * Does a link in a copied directory, so many directories below the top, lead to something in what is copied? Names after
 * `..` only lead down, or through another link of which the same holds. Pure.
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
