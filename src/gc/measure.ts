import type { Stats } from 'node:fs';
import { type FileIdentity, isSame, keyOf } from '../host/file-identity.js';
import { statIn } from '../store/look.js';
import { textOf, walk } from '../store/walk.js';

/** The block size of `stat`, on all file systems (stat(2)). */
export const BLOCK = 512;

/** The properties of a tree, measured like du(1). */
export interface Measure extends FileIdentity {
  /** Disk usage: of sparse files what they occupy; a file with several links counts at its last one. */
  bytes: number;
  /** The latest change of anything in it, by the clock of its file system, milliseconds since the epoch. */
  newest: number;
  uid: number;
  isDirectory: boolean;
  /** The inodes of the directories in it and of itself, in the order of a walk. */
  directories: readonly number[];
  /** The first error, if a part could not be read. */
  problem?: unknown;
  /** The first entry that does not fit, as text, if `fits` was given. */
  unfit?: string;
}

/** The number of links found so far, by device and inode, of files with several: a plan measures each file once. */
export type LinkCounts = Map<string, number>;

export interface MeasureOptions {
  links: LinkCounts;
  /** Trees in it that are measured separately. */
  except?: readonly FileIdentity[];
  fits?: (names: readonly string[], isDirectory: boolean) => boolean;
}

/** Undefined if the name does not exist. */
export function measure(parent: number, name: string, options: MeasureOptions): Measure | undefined {
  let top: Stats | undefined;
  let bytes = 0;
  let newest = 0;
  let problem: unknown;
  let unfit: string | undefined;
  const directories: number[] = [];
  const count = (stat: Stats, names: readonly string[]): void => {
    if (names.length === 0) top = stat;
    if (stat.nlink === 1 || stat.isDirectory() || isLastLink(stat, options.links)) {
      bytes += stat.blocks * BLOCK;
    }
    if (stat.ctimeMs > newest) newest = stat.ctimeMs;
    if (names.length > 0 && unfit === undefined && options.fits?.(names, stat.isDirectory()) === false) {
      unfit = textOf(names.join('/'));
    }
  };
  walk(parent, name, {
    file: (_path, stat, names) => count(stat, names),
    enter: (_fd, stat) => {
      if (isAmong(options.except, stat)) return 'skip';
      directories.push(stat.ino);
      return undefined;
    },
    leave: (_path, stat, names) => count(stat, names),
    failed: (error) => {
      problem ??= error;
    },
  });
  if (top === undefined) {
    if (problem === undefined) return undefined;
    top = statIn(parent, name);
    if (top === undefined) return undefined;
  }
  const { dev, ino, uid } = top;
  return { dev, ino, bytes, newest, uid, isDirectory: top.isDirectory(), directories, problem, unfit };
}

export function isAmong(trees: readonly FileIdentity[] | undefined, stat: Stats): boolean {
  return trees?.some((tree) => isSame(tree, stat)) === true;
}

function isLastLink(stat: Stats, links: LinkCounts): boolean {
  const key = keyOf(stat);
  const met = (links.get(key) ?? 0) + 1;
  links.set(key, met);
  return met === stat.nlink;
}
