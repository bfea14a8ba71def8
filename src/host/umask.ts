/** Nobody but the owner writes what we make. */
const OTHERS_WRITE = 0o022;
/** What the owner may, the umask does not say for us: what we make we have to use. */
const OTHERS = 0o077;

let callers: number | undefined;

/**
 * Makes the umask ours: as our caller set it for the group and others, but nobody else may ever write, and the owner
 * may do all. Returns the caller's, which is for what we run.
 */
export function takeUmask(): number {
  if (callers === undefined) {
    callers = process.umask(OTHERS);
    process.umask((callers & OTHERS) | OTHERS_WRITE);
  }
  return callers;
}

/** Does something under an umask. */
export function underUmask<T>(mask: number, act: () => T): T {
  const ours = process.umask(mask);
  try {
    return act();
  } finally {
    process.umask(ours);
  }
}

/** What is made under it, everybody may enter and read. */
export const OPEN_TO_ALL = OTHERS_WRITE;
