import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { isWithin } from '../store/paths.js';
import { firstFrom } from './guards.js';
import { type Identity, keyOf } from './tree.js';

/** A process that uses a directory, and how, for a refusal. */
export interface User {
  pid: number;
  path: string;
  how: string;
  /** Only of working directories: right also where the process sees another tree of mounts. */
  identity?: Identity;
}

/**
 * What the processes of this machine use: working and root directories, programs, files open for writing. A
 * snapshot, taken when it is first asked. What may not be looked at is not in it.
 */
export class Usage {
  readonly #proc: string;
  /** By path. */
  #users: readonly User[] | undefined;
  readonly #byIdentity = new Map<string, User>();

  constructor(proc = '/proc') {
    this.#proc = proc;
  }

  /** Somebody who uses the directory or something in it. */
  of(path: string, identity?: Identity): User | undefined {
    if (this.#users === undefined) this.#index(this.#look());
    const users = this.#users as readonly User[];
    for (let i = firstFrom(users, path, ({ path }) => path); i < users.length; i++) {
      const user = users[i] as User;
      if (isWithin(user.path, path)) return user;
      // `/a/b-c` stands between `/a/b` and `/a/b/c`.
      if (!user.path.startsWith(path)) break;
    }
    return identity && this.#byIdentity.get(keyOf(identity));
  }

  #index(users: User[]): void {
    this.#users = users.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    for (const user of users)
      if (user.identity !== undefined) this.#byIdentity.set(keyOf(user.identity), user);
  }

  #look(): User[] {
    const users: User[] = [];
    for (const name of namesIn(this.#proc)) {
      if (!/^\d+$/.test(name)) continue;
      const directory = `${this.#proc}/${name}`;
      const pid = Number(name);
      for (const [link, how] of LINKS) {
        const path = linkOf(`${directory}/${link}`);
        if (path === undefined || path === '/') continue;
        users.push({ pid, path, how, identity: link === 'cwd' ? identityOf(`${directory}/cwd`) : undefined });
      }
      for (const fd of namesIn(`${directory}/fd`)) {
        const path = linkOf(`${directory}/fd/${fd}`);
        if (path?.startsWith('/') && !path.startsWith('/dev/') && isWritten(`${directory}/fdinfo/${fd}`)) {
          users.push({ pid, path, how: 'writes into it' });
        }
      }
    }
    return users;
  }
}

const LINKS = [
  ['cwd', 'works in it'],
  ['root', 'has it as its root directory'],
  ['exe', 'runs a program in it'],
] as const;

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function identityOf(path: string): Identity | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** By the access mode in the flags (proc(5), octal): O_WRONLY is 1, O_RDWR is 2. */
function isWritten(fdinfo: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(fdinfo, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0;
  } catch {
    return false;
  }
}
