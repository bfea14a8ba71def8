import { closeSync, constants, fstatSync, fsyncSync, openSync, type Stats, writeSync } from 'node:fs';
import { at } from './directories.js';

export interface NewFileOptions {
  mode: number;
  /** Called with the file's stat before anything is written. */
  made?: (file: Stats) => void;
  /** The file is on disk when this returns. */
  durable?: boolean;
}

/**
 * Writes a new file, by its name in an open directory: nothing is overwritten and no link is followed. Throws system
 * errors, `EEXIST` if the name is taken.
 */
export function writeNewFile(
  directory: number,
  name: string,
  text: string,
  { mode, made, durable = false }: NewFileOptions,
): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(at(directory, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    made?.(fstatSync(fd));
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
