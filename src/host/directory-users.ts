import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { FileIdentity } from './file-identity.js';

/** A process that uses a directory, and how, for the message of a refusal. */
export interface DirectoryUser {
  pid: number;
  path: string;
  how: string;
  /** Only for working directories: correct even if the process is in another mount namespace. */
  identity?: FileIdentity;
}

/**
 * What the processes of this machine use: working and root directories, programs, files open for writing. What we may
 * not read is left out.
 */
export function directoryUsers(proc = '/proc'): DirectoryUser[] {
  const users: DirectoryUser[] = [];
  for (const name of namesIn(proc)) {
    if (!/^\d+$/.test(name)) continue;
    const directory = `${proc}/${name}`;
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

function identityOf(path: string): DirectoryUser['identity'] {
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
