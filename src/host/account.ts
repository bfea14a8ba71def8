import { runTool } from './run-tool.js';

/** An entry of the user database. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Looks a user up by name or uid with getent(1), which knows what libc knows (files, LDAP …); undefined if there
 * is none. Names that look like a uid are looked up as names first, as getent does.
 */
export function findAccount(user: string | number): Account | undefined {
  const { status, stdout } = runTool('getent', ['passwd', '--', String(user)]);
  if (status !== 0) return undefined;
  const [name, , uid, gid] = stdout.split('\n')[0]?.split(':') ?? [];
  if (!name || !uid || !gid || (typeof user === 'string' && name !== user)) return undefined;
  return { name, uid: Number(uid), gid: Number(gid) };
}
