import { statfsSync, statSync } from 'node:fs';

/** What a file system holds and has left, in bytes and inodes (statfs(2)). */
export interface FileSystem {
  bytes: number;
  /** For all users. */
  available: number;
  /** Including what is reserved for root. */
  free: number;
  inodes: number;
  freeInodes: number;
}

/** A number that two paths share if they are on the same file system. Throws system errors. */
export function deviceOf(path: string): number {
  return statSync(path).dev;
}

/** The file system that a path is on. Throws system errors. */
export function fileSystemOf(path: string): FileSystem {
  const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(path);
  return {
    bytes: blocks * bsize,
    available: bavail * bsize,
    free: bfree * bsize,
    inodes: files,
    freeInodes: ffree,
  };
}

/** How much of the file system that a path is on is in use, from 0 to 1. Throws system errors. */
export function diskUse(path: string): number {
  const { bytes, free } = fileSystemOf(path);
  return bytes === 0 ? 0 : (bytes - free) / bytes;
}
