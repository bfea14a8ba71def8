/** Only the owner may write what we make. */
const OTHERS_WRITE = 0o022;
/** The caller's umask does not limit the owner: we must be able to use what we make. */
const OTHERS = 0o077;

let callers: number | undefined;

/**
 * Sets our umask: the caller's for the group and others, but without write permission for them, and with all permissions
 * for the owner. Returns the caller's umask, which is for the commands that we run.
 */
export function takeUmask(): number {
  if (callers === undefined) {
    callers = process.umask(OTHERS);
    process.umask((callers & OTHERS) | OTHERS_WRITE);
  }
  return callers;
}

/** Calls `act` under a umask. */
export function underUmask<T>(mask: number, act: () => T): T {
  const ours = process.umask(mask);
  try {
    return act();
  } finally {
    process.umask(ours);
  }
}

/** The umask for what everybody may enter and read. */
export const OPEN_TO_ALL = OTHERS_WRITE;
