import { readFileSync } from 'node:fs';
import { isShortage } from '../errors/shortage.js';
import { runTool } from './run-tool.js';

/** An entry of the user database. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Empty if it has none. */
  readonly home: string;
}

/** Parses lines of passwd(5), in their order; lines that are not entries are left out. */
export function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid = '', gid = '', , home = ''] = line.split(':');
    if (!name || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home }];
  });
}

/** Returns the line of the user database for a name or uid, within the timeout; undefined if there is none. */
export type Getent = (user: string, timeoutMs: number) => string | undefined;

/** Asks libc, which knows all sources (LDAP …), through getent(1). */
export const getent: Getent = (user, timeoutMs) => {
  const { status, stdout } = runTool('getent', ['passwd', '--', user], undefined, timeoutMs);
  return status === 0 ? stdout : undefined;
};

export interface AccountsOptions {
  /** Default: `/etc/passwd`. */
  readonly passwd?: string;
  /** Asked for users who are not in the file. Default: `getent`; nothing if `passwd` is given. */
  readonly getent?: Getent | undefined;
  /** The total time for answers, after which it is not asked any more. Default: no limit. */
  readonly patienceMs?: number;
}

/** Can getent(1) be asked for it? Few starts get here, and the class of Unicode takes V8 0.3 ms. */
function isName(text: string): boolean {
  return /^[^\p{Cc}:]{1,256}$/u.test(text);
}

/**
 * The users of this machine: those in the file, and those that libc knows from other sources. The file is read once,
 * when it is needed; each other user is asked for once. With `patienceMs` nothing here throws; otherwise the machine may
 * be too short of something to know, and the system error is thrown.
 */
export class Accounts {
  readonly #options: AccountsOptions;
  #file: { all: readonly Account[]; byKey: ReadonlyMap<string | number, Account> } | undefined;
  #asked: Map<string | number, Account | undefined> = new Map();
  /** Shared by all snapshots. */
  #patience: { leftMs: number };

  constructor(options: AccountsOptions = {}) {
    this.#options = { getent: options.passwd === undefined ? getent : undefined, ...options };
    this.#patience = { leftMs: options.patienceMs ?? Number.POSITIVE_INFINITY };
  }

  /** Reads the file again; the answers of other sources are kept. */
  again(): Accounts {
    const accounts = new Accounts(this.#options);
    accounts.#asked = this.#asked;
    accounts.#patience = this.#patience;
    return accounts;
  }

  /** By name or uid; a name is never taken for a uid. Of several in the file, the first counts. */
  find(user: string | number): Account | undefined {
    return this.#read().byKey.get(user) ?? this.#ask(user);
  }

  /** The users in the file. Other sources may have many, or not list them at all. */
  ofFile(): readonly Account[] {
    return this.#read().all;
  }

  #read() {
    if (this.#file === undefined) {
      const all = parsePasswd(
        this.#unlessShort(() => readPasswd(this.#options.passwd ?? '/etc/passwd')) ?? '',
      );
      const byKey = new Map<string | number, Account>();
      for (const account of all) {
        for (const key of [account.name, account.uid]) if (!byKey.has(key)) byKey.set(key, account);
      }
      this.#file = { all, byKey };
    }
    return this.#file;
  }

  #ask(user: string | number): Account | undefined {
    if (!this.#asked.has(user)) this.#asked.set(user, this.#answerOn(user));
    return this.#asked.get(user);
  }

  #answerOn(user: string | number): Account | undefined {
    const { getent } = this.#options;
    const { leftMs } = this.#patience;
    if (getent === undefined || leftMs <= 0 || !isName(String(user))) return undefined;
    const before = performance.now();
    const [account] = parsePasswd(this.#unlessShort(() => getent(String(user), leftMs)) ?? '');
    this.#patience.leftMs -= performance.now() - before;
    // getent takes a name that looks like a uid for one.
    return account?.[typeof user === 'string' ? 'name' : 'uid'] === user ? account : undefined;
  }

  /** Undefined if the answer is only for display and cannot be had. */
  #unlessShort<T>(find: () => T): T | undefined {
    try {
      return find();
    } catch (error) {
      if (this.#options.patienceMs === undefined) throw error;
      return undefined;
    }
  }
}

/** Looks up a user by name or uid in order to act for them: without a cache, and without a time limit. */
export function findAccount(user: string | number): Account | undefined {
  return new Accounts().find(user);
}

function readPasswd(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isShortage(error)) throw error;
    // A machine without the file may have other sources.
    return '';
  }
}
