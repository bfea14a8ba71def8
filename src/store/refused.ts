/** Why something is not opened although the system would open it. */
export type RefusalCode =
  /** It is not a regular file: reading it may block, never end, or act on a device. */
  | 'ENOTREG'
  /** It, or a directory on the way to it, is a symbolic link that somebody may have put there. */
  | 'ELINK'
  /** It is longer than anything of its kind. */
  | 'EFBIG'
  /** The user on whose behalf it is opened could not read it. */
  | 'ENOTREADER';

/** Thrown for what the system would open but this program does not. The message says what was found. */
export class RefusedError extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The refusal of a file that has another name: it may be somebody else's. */
export function anotherName(path: string): RefusedError {
  return new RefusedError('ELINK', `${path} has another name (a hard link), so it may be somebody else's`);
}
