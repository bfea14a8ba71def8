import type { FileIdentity } from '../host/file-identity.js';
import { LAYOUTS, type LayoutName } from '../layout/layouts.js';
import { isWithin } from '../store/paths.js';
import type { Claims } from './claims.js';
import type { Evidence, ShownEvidence } from './evidence.js';
import { homePlace, mounted, type ProtectedPaths, rootPlace, systemPlace } from './places.js';
import { foreignWords, userWords, withoutEvidence } from './words.js';

/** Logs or data of a task in their current state. All paths are without links. */
export interface Item extends Readonly<FileIdentity> {
  readonly kind: 'logs' | 'data';
  readonly task_id: string;
  /** The task's identity for claims. */
  readonly key: object;
  readonly layout: LayoutName;
  readonly root: string;
  readonly path: string;
  /** The sandbox that it is or belongs to. */
  readonly home: string;
  readonly uid: number;
  readonly isDirectory: boolean;
  /** Users other than root who may have written the header. */
  readonly authors: readonly number[];
  /** The evidence that it belongs to the task. */
  readonly shown: ShownEvidence;
}

/** Why something must not be removed. */
export interface Objection {
  readonly verdict: 'refused' | 'kept';
  readonly why: string;
  /** How to get it removed. */
  readonly hint?: string;
  /** A later gc may delete it, so the metadata that names it stays. */
  readonly holds?: boolean;
}

/** The facts about the machine that the guards need. */
export interface GuardContext {
  readonly euid: number;
  readonly protectedPaths: ProtectedPaths;
  readonly claims: Pick<Claims, 'on'>;
  /** A task that was added after the claims were collected and uses the directory; undefined if there is none. */
  readonly newcomer: (item: Item) => string | undefined;
  readonly others: {
    owning(sandbox: string, taskId: string, root: string, asked: boolean): string | undefined;
  };
  readonly usage: {
    of(path: string, identity?: FileIdentity): { pid: number; how: string } | undefined;
  };
}

export interface Guard {
  readonly name: string;
  /** Asked when the plan is made. */
  readonly plan: (item: Item, context: GuardContext) => Objection | undefined;
  /** Asked right before the removal, about the state at that moment. */
  readonly again: (item: Item, context: GuardContext) => Objection | undefined;
}

function guard(name: string, ask: Guard['plan'], again: Guard['again'] = ask): Guard {
  return { name, plan: ask, again };
}

function refused(why: string | undefined): Objection | undefined {
  return why === undefined ? undefined : { verdict: 'refused', why };
}

/** Evidence that needs no further check: the place, or a mark with the root's path and inode. */
const CERTAIN: ReadonlySet<Evidence> = new Set(['place', 'mark']);

function claimed({ path, key }: Item, { claims }: GuardContext): Objection | undefined {
  const claim = claims.on(path, key);
  return refused(claim && `${claim.by} uses ${claim.path}`);
}

/**
 * All reasons against the removal of logs or data, in the order in which they are checked. Planned removals are checked
 * again by the same list right before they happen.
 */
export const GUARDS: readonly Guard[] = [
  guard('directory', ({ isDirectory }) => refused(isDirectory ? undefined : 'it is not a directory')),
  guard('system', ({ path }) => refused(systemPlace(path))),
  guard('home', ({ path }, { protectedPaths }) => refused(homePlace(path, protectedPaths.homes))),
  guard('mount', ({ path }, { protectedPaths }) => {
    const why = mounted(path, protectedPaths.mountPoints);
    return why === undefined ? undefined : { verdict: 'refused', why, holds: true };
  }),
  guard('root', ({ path, task_id, root, layout }, { protectedPaths }) =>
    // In the Mesos layout the root is in the run directory, beside the removed directories.
    refused(
      rootPlace({ path, task_id, root }, LAYOUTS[layout].ownsSandboxes ? [root] : protectedPaths.roots),
    ),
  ),
  guard('claim', claimed, (item, context) => claimed(item, context) ?? refused(context.newcomer(item))),
  // If a sandbox does not belong to another root, neither do the logs in it.
  guard('other-root', ({ home, root, layout, task_id, shown }, { others }) => {
    if (LAYOUTS[layout].ownsSandboxes || isWithin(home, root)) return undefined;
    const certain = 'by' in shown && CERTAIN.has(shown.by);
    return refused(others.owning(home, task_id, root, !certain));
  }),
  guard('evidence', ({ shown, home, kind }) => {
    if ('by' in shown) return undefined;
    if (shown.others) return refused(shown.why);
    return withoutEvidence(shown, kind, home);
  }),
  guard('owner', ({ uid, authors, layout }, { euid }) => {
    // A Mesos task owns everything in its run directory.
    const asked = !LAYOUTS[layout].ownsSandboxes && euid === 0 && authors.length > 0;
    return refused(asked && !authors.includes(uid) ? foreignWords(uid, authors) : undefined);
  }),
  guard('use', ({ path, dev, ino }, { usage }) => {
    const user = usage.of(path, { dev, ino });
    return user && { verdict: 'refused', why: userWords(user), holds: true };
  }),
];

/** The first objection of a list of guards; undefined if there is none. */
export function objection(
  when: 'plan' | 'again',
  item: Item,
  context: GuardContext,
  guards: readonly Guard[] = GUARDS,
): Objection | undefined {
  for (const each of guards) {
    const found = each[when](item, context);
    if (found !== undefined) return found;
  }
  return undefined;
}
