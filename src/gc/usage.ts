import { type DirectoryUser, directoryUsers } from '../host/directory-users.js';
import { type FileIdentity, keyOf } from '../host/file-identity.js';
import { isWithin } from '../store/paths.js';
import { firstFrom } from './claims.js';

/** The maximum age of a process scan right before a removal: in milliseconds, or as a multiple of its duration. */
const FRESH_MS = 1000;
const FRESH_FACTOR = 50;

/** Finds processes of this machine that use a directory. Scans once, and again when the scan is too old. */
export class DirectoryUsage {
  readonly #look: () => DirectoryUser[];
  readonly #clock: () => number;
  #freshUntil: number | undefined;
  #users: readonly DirectoryUser[] = [];
  readonly #byIdentity = new Map<string, DirectoryUser>();

  /** `clock`: milliseconds; without one a scan never expires. */
  constructor(look: () => DirectoryUser[] = directoryUsers, clock: () => number = () => 0) {
    this.#look = look;
    this.#clock = clock;
  }

  /** A new instance that scans again. */
  again(clock: () => number): DirectoryUsage {
    return new DirectoryUsage(this.#look, clock);
  }

  /** A process that uses the directory or something in it. */
  of(path: string, identity?: FileIdentity): DirectoryUser | undefined {
    const now = this.#clock();
    if (this.#freshUntil === undefined || now > this.#freshUntil) {
      this.#index(this.#look());
      const done = this.#clock();
      this.#freshUntil = done + Math.max(FRESH_MS, (done - now) * FRESH_FACTOR);
    }
    const users = this.#users;
    for (let i = firstFrom(users, path, ({ path }) => path); i < users.length; i++) {
      const user = users[i] as DirectoryUser;
      if (isWithin(user.path, path)) return user;
      // `/a/b-c` sorts between `/a/b` and `/a/b/c`.
      if (!user.path.startsWith(path)) break;
    }
    return identity && this.#byIdentity.get(keyOf(identity));
  }

  #index(users: DirectoryUser[]): void {
    this.#users = users.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    this.#byIdentity.clear();
    for (const user of users)
      if (user.identity !== undefined) this.#byIdentity.set(keyOf(user.identity), user);
  }
}
