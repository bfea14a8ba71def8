/** The write bits of the group and of others: with them, the owner may not be the only author. */
const OTHERS_WRITE = 0o022;

/** In a directory with this bit, only the owner of an entry can remove or rename it, as in /tmp. */
const STICKY = 0o1000;

/** May anybody but the owner write it, by its mode? (An ACL shows in the bits of the group, acl(5).) Pure. */
export function othersMayWrite(mode: number): boolean {
  return (mode & OTHERS_WRITE) !== 0;
}

/** Does the directory protect each user's entries from other users who may write to it? Pure. */
export function isSticky(mode: number): boolean {
  return (mode & STICKY) !== 0;
}
