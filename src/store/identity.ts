/** What `stat` says that a file is itself and no other. */
export interface Identity {
  dev: number;
  ino: number;
}

export function isSame(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** The identity as text, for a set or a map. */
export function keyOf({ dev, ino }: Identity): string {
  return `${dev}:${ino}`;
}
