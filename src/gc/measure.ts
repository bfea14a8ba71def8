import type { Stats } from 'node:fs';
import { type FileIdentity, isSame, keyOf } from '../host/file-identity.js';
import { statIn } from '../store/look.js';
import { textOf, walk } from '../store/walk.js';

/** Blocks of `stat` are of 512 bytes, whatever the file system's are (stat(2)). */
export const BLOCK = 512;

/** What a tree is, measured as du(1) does. */
export interface Measure extends FileIdentity {
  /** Of the disk: sparse files count what they take up, a file with several links when its last one is met. */
  bytes: number;
  /** The latest change of anything in it, by the clock of its file system, milliseconds since the epoch. */
  newest: number;
  uid: number;
  isDirectory: boolean;
  /** What could not be looked at, if anything. */
  problem?: unknown;
  /** The first entry that does not fit, if `fits` was given; text. */
  unfit?: string;
}

/** Links met so far of files that have several, by device and inode: a plan measures each file once. */
export type LinkCounts = Map<string, number>;

export interface MeasureOptions {
  links: LinkCounts;
  /** Trees in it that are measured for themselves. */
  except?: readonly FileIdentity[];
  fits?: (names: readonly string[], isDirectory: boolean) => boolean;
}

/** Undefined if there is nothing of the name. */
export function measure(parent: number, name: string, options: MeasureOptions): Measure | undefined {
  let top: Stats | undefined;
  let bytes = 0;
  let newest = 0;
  let problem: unknown;
  let unfit: string | undefined;
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
      if (isAmong(options.except, stat)) throw new Excepted();
    },
    leave: (_path, stat, names) => count(stat, names),
    failed: (error) => {
      if (!(error instanceof Excepted)) problem ??= error;
    },
  });
  if (top === undefined) {
    if (problem === undefined) return undefined;
    top = statIn(parent, name);
    if (top === undefined) return undefined;
  }
  const { dev, ino, uid } = top;
  return { dev, ino, bytes, newest, uid, isDirectory: top.isDirectory(), problem, unfit };
}

/** Thrown to pass over a tree. */
export class Excepted extends Error {}

export function isAmong(trees: readonly FileIdentity[] | undefined, stat: Stats): boolean {
  return trees?.some((tree) => isSame(tree, stat)) === true;
}

function isLastLink(stat: Stats, links: LinkCounts): boolean {
  const key = keyOf(stat);
  const met = (links.get(key) ?? 0) + 1;
  links.set(key, met);
  return met === stat.nlink;
}
