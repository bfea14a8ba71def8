/** The write bits of the group and of others: of what has them, its owner is not the only author. */
const OTHERS_WRITE = 0o022;

/** Of a directory: a name in it can be taken away only by the owner of what it names, as in /tmp. */
const STICKY = 0o1000;

/** May somebody else than the owner write it, by its mode? (An ACL shows in the bits of the group, acl(5).) Pure. */
export function othersMayWrite(mode: number): boolean {
  return (mode & OTHERS_WRITE) !== 0;
}

/** Keeps the directory for each what he has put there, whoever else may write to it? Pure. */
export function isSticky(mode: number): boolean {
  return (mode & STICKY) !== 0;
}
