/** The identity of a file, from `stat`. Use `{bigint: true}` where inodes may exceed 2^53. */
export interface FileIdentity {
  dev: number | bigint;
  ino: number | bigint;
}

/** Both must come from the same kind of `stat`. */
export function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** The identity as text, for a set or a map. */
export function keyOf({ dev, ino }: FileIdentity): string {
  return `${dev}:${ino}`;
}
