import type { Problem } from '../errors/problem.js';
import { unreadable } from '../store/problems.js';
import { RefusedError } from '../store/refused.js';
import type { FileType } from './sandbox-tree.js';

const REFUSALS = {
  ENOTREG: 'file-not-regular',
  ELINK: 'path-outside',
  EFBIG: 'file-too-large',
  ENOTREADER: 'file-untrusted',
} as const;

/** The problem of something in a sandbox that cannot be read. */
export function unreadableFile(path: string, error: unknown): Problem {
  return unreadable({
    code: error instanceof RefusedError ? REFUSALS[error.code] : 'file-unreadable',
    tried: `read ${path}`,
    what: 'the file',
    error,
    path,
    hint: "read it as root or as the task's user, for example with sudo",
  });
}

const KINDS: Readonly<Record<FileType, string>> = {
  file: 'a file',
  directory: 'a directory',
  link: 'a link',
  fifo: 'a FIFO',
  socket: 'a socket',
  'block-device': 'a device',
  'character-device': 'a device',
};

/** The problem of something that is not read because it is not a file. */
export function notRegular(path: string, type: FileType, what = 'read'): Problem {
  return {
    code: 'file-not-regular',
    severity: 'error',
    message: `${path} is not ${what}: it is ${KINDS[type]}, not a file`,
    path,
  };
}

/** A sparse file can be as large as the file system allows, beyond any offset that can be read. */
export function tooLargeFile(path: string, size: number): Problem {
  return {
    code: 'file-too-large',
    severity: 'error',
    message: `${path} has a size of ${BigInt(size)} bytes, which is too large for a file: it is not read`,
    path,
  };
}
