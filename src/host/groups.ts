import { type Account, findAccount } from './accounts.js';
import { runTool } from './run-tool.js';

/** What must be known about groups to decide who may write a file. */
export interface Groups {
  /**
   * Is the user the only member of the group, so that its write permission on the path is only the user's?
   * Distributions that give each user a group of the same name let that group write what the user creates.
   */
  isOnlyOf(gid: number, uid: number, path: string): boolean;
}

/** Asks getent(1) for groups and ls(1) for ACLs, each only when it matters. */
export function accountGroups(): Groups {
  return {
    isOnlyOf(gid, uid, path) {
      const account = findAccount(uid);
      const group = findGroup(gid);
      if (account === undefined || group === undefined) return false;
      const isPrivate =
        account.gid === gid &&
        group.name === account.name &&
        group.members.every((name) => name === account.name);
      return isPrivate && !hasAcl(path);
    },
  };
}

/** Looks up a group with getent(1); undefined if there is none. */
function findGroup(gid: number): { name: string; members: string[] } | undefined {
  const { status, stdout } = runTool('getent', ['group', '--', String(gid)]);
  if (status !== 0) return undefined;
  const [name, , id, members = ''] = stdout.split('\n')[0]?.split(':') ?? [];
  if (!name || Number(id) !== gid) return undefined;
  return { name, members: members.split(',').filter((member) => member !== '') };
}

/** ls(1) puts a `+` after the mode of a file that has an ACL. */
function hasAcl(path: string): boolean {
  const { status, stdout } = runTool('env', ['LC_ALL=C', 'ls', '-ld', '--', path]);
  return status !== 0 || stdout[10] === '+';
}

/** All groups of a user, from id(1); none for a user without an account. */
export function groupsOf(uid: number): number[] {
  const account = findAccount(uid);
  return account === undefined ? [] : groupsOfAccount(account);
}

/** All groups of an account, from id(1); only its own if that fails. */
export function groupsOfAccount({ name, gid }: Pick<Account, 'name' | 'gid'>): number[] {
  const { status, stdout } = runTool('id', ['-G', '--', name]);
  return status === 0 ? stdout.trim().split(' ').map(Number) : [gid];
}
