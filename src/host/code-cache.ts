/**
 * V8's code caches, in files. Loading a cache means executing its content, and V8 checks almost nothing of it: a cache
 * made by another Node ends in a segmentation fault, even if the V8 is the same. So a cache is used only by exactly the
 * Node that made it, for exactly the source that it was made from, and only if nobody but us and root could have
 * written it. Any failure here only means that there is no cache.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { Script, type ScriptOptions } from 'node:vm';
import { othersMayWrite } from './mode.js';

/** What is compiled. */
export interface Source {
  /** The first words of the cache's name. */
  readonly name: string;
  /** The name of a built cache of the same code that serves until this one is made. */
  readonly like?: string;
  /** Distinguishes this source from all others that ever had the name; only letters, digits and dots. */
  readonly id: string;
  readonly code: string;
  readonly options: ScriptOptions;
}

/** Directories of caches. */
export interface CachePlaces {
  /** The directory of the current user: read and written. */
  readonly own?: string;
  /** The directory beside the program, written by its build: only read. */
  readonly built: string;
}

export interface CachedScript {
  readonly script: Script;
  /**
   * Saves what has been compiled so far for the next start, unless the cache that was loaded already covers this `use`
   * (words).
   */
  keep(use: string): void;
}

/** Enough for the commands that a person uses, with a few versions of the program or Node. */
const MOST_CACHES = 32;

const CACHE = /^[\w.-]+\.cache$/;
const UNFINISHED = /^[\w.-]+-(\d+)\.making$/;

/** `$XDG_CACHE_HOME/thermos`, else `~/.cache/thermos`; undefined if the environment names neither. */
export function ownCacheDirectory(env: NodeJS.ProcessEnv): string | undefined {
  const { XDG_CACHE_HOME: cache = '', HOME: home = '' } = env;
  if (isAbsolute(cache)) return join(cache, 'thermos');
  return isAbsolute(home) ? join(home, '.cache', 'thermos') : undefined;
}

/** The name of a cache: its source, and the Node that makes it and may use it. */
export function cacheName({ name, id }: Pick<Source, 'name' | 'id'>): string {
  const { version, arch, platform } = process;
  return `${name}-${id.slice(0, 12)}-node-${version}-${platform}-${arch}-v8-${process.versions.v8}-${tag()}.cache`;
}

/**
 * What identifies V8 and its flags: the beginning of every cache of the same script. `v8.cachedDataVersionTag()` returns
 * the same, but loading that module takes 1.4 ms.
 */
function tag(): string {
  return new Script('').createCachedData().toString('hex', 0, 16);
}

/** Compiles a script, from a cache if there is one, which is about five times as fast. */
export function compileCached(source: Source, places: CachePlaces): CachedScript {
  const name = cacheName(source);
  const seal = sealOf(source);
  const { own, built } = places;
  let used = own === undefined ? undefined : readCache(own, name, seal);
  used ??= readCache(built, name, seal);
  if (source.like !== undefined) used ??= readLike({ ...source, name: source.like }, built);
  const script = new Script(source.code, { ...source.options, cachedData: used?.data });
  // The data are not kept: they are not used any more, and are as large as the program.
  let uses = script.cachedDataRejected ? undefined : used?.uses;
  const keep = (use: string): void => {
    // V8 puts its current flags into a cache: if they have changed, the cache would have another name.
    if (own === undefined || uses?.includes(use) || cacheName(source) !== name) return;
    uses = [...(uses ?? []), use];
    writeCache(own, name, seal, { data: script.createCachedData(), uses });
  };
  return { script, keep };
}

interface Cache {
  data: Buffer;
  uses: string[];
}

/** The text near the end of a cache, before its uses: everything that the cache depends on. */
function sealOf({ name, id }: Source): string {
  let node = '';
  try {
    // Distributions build the same version differently.
    const { size, mtimeMs } = statSync(process.execPath);
    node = `${size}.${mtimeMs}`;
  } catch {
    // It was removed after the start.
  }
  return `${cacheName({ name, id })} ${id} ${node}`;
}

/** A cache of another name, without the uses that it covers. */
function readLike(source: Source, directory: string): Cache | undefined {
  const found = readCache(directory, cacheName(source), sealOf(source));
  return found && { data: found.data, uses: [] };
}

function readCache(directory: string, name: string, seal: string): Cache | undefined {
  try {
    return inDirectory(directory, (at) => {
      const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
      const fd = openSync(at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      try {
        const stats = fstatSync(fd);
        if (!stats.isFile() || stats.nlink !== 1 || !isOurs(stats)) return undefined;
        return unsealed(readFileSync(fd), seal);
      } finally {
        closeSync(fd);
      }
    });
  } catch {
    return undefined;
  }
}

/** `DATA \n SEAL \t LENGTH \t USE,USE,… \n`: a cache that was cut off anywhere ends differently. */
function unsealed(bytes: Buffer, seal: string): Cache | undefined {
  const end = bytes.lastIndexOf('\n', bytes.length - 2);
  if (end === -1 || bytes.at(-1) !== 0x0a) return undefined;
  const [found, length, uses = ''] = bytes.toString('latin1', end + 1, bytes.length - 1).split('\t');
  if (found !== seal || length !== String(end)) return undefined;
  return { data: bytes.subarray(0, end), uses: uses.split(',') };
}

/** Writes a cache atomically. */
function writeCache(directory: string, name: string, seal: string, { data, uses }: Cache): void {
  try {
    makeDirectory(directory);
    inDirectory(directory, (at) => {
      makeRoom(at, name);
      const making = `${name}-${process.pid}.making`;
      const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
      const fd = openSync(at(making), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        try {
          writeAll(fd, data);
          writeAll(fd, Buffer.from(`\n${seal}\t${data.length}\t${uses.join(',')}\n`, 'latin1'));
          fchmodSync(fd, 0o600);
          fsyncSync(fd);
        } finally {
          closeSync(fd);
        }
        renameSync(at(making), at(name));
      } catch (error) {
        unlinkSync(at(making));
        throw error;
      }
    });
  } catch {
    // A read-only or full disk, somebody else's home, or another process that writes the same cache now.
  }
}

/** Makes the directory and its parent, but not in a home that is missing or somebody else's. */
function makeDirectory(directory: string): void {
  const home = dirname(directory);
  if (statOf(home) === undefined && isOwn(statOf(dirname(home)))) mkdirSync(home, 0o700);
  if (statOf(directory) === undefined && isOwn(statOf(home))) mkdirSync(directory, 0o700);
}

/**
 * Calls `act` with a function that returns paths of entries of the directory, even if it is moved. Throws if it is a
 * link, or if somebody else could change it.
 */
function inDirectory<T>(directory: string, act: (at: (name: string) => string) => T): T {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const fd = openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (!isOurs(fstatSync(fd))) throw new Error(`${directory} is not ours`);
    return act((name) => `/proc/self/fd/${fd}/${name}`);
  } finally {
    closeSync(fd);
  }
}

/** Removes abandoned unfinished files, and the oldest caches. */
function makeRoom(at: (name: string) => string, name: string): void {
  const caches: { entry: string; mtimeMs: number }[] = [];
  for (const entry of readdirSync(at(''))) {
    const [, maker] = UNFINISHED.exec(entry) ?? [];
    if (maker !== undefined && statOf(`/proc/${maker}`) === undefined) unlinkSync(at(entry));
    if (entry !== name && CACHE.test(entry)) caches.push({ entry, mtimeMs: statOf(at(entry))?.mtimeMs ?? 0 });
  }
  caches.sort((a, b) => b.mtimeMs - a.mtimeMs);
  for (const { entry } of caches.slice(MOST_CACHES - 1)) unlinkSync(at(entry));
}

/** Could only we and root have written it? */
function isOurs({ uid, mode }: Stats): boolean {
  return (uid === 0 || uid === process.geteuid?.()) && !othersMayWrite(mode);
}

function isOwn(stats: Stats | undefined): boolean {
  return stats !== undefined && stats.uid === process.geteuid?.();
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
