import type { FileIdentity } from '../host/file-identity.js';
import { LAYOUTS, type LayoutName } from '../layout/layouts.js';
import { isWithin } from '../store/paths.js';
import type { Claims } from './claims.js';
import type { Evidence, Shown } from './evidence.js';
import { homePlace, mounted, type ProtectedPaths, rootPlace, systemPlace } from './places.js';
import { foreignWords, userWords, withoutEvidence } from './words.js';

/** Logs or data of a task, and what is seen of them at the moment. All paths are without links. */
export interface Item extends Readonly<FileIdentity> {
  readonly kind: 'logs' | 'data';
  readonly task_id: string;
  /** Of claims: the task's identity. */
  readonly key: object;
  readonly layout: LayoutName;
  readonly root: string;
  readonly path: string;
  /** The sandbox that it is or lies in. */
  readonly home: string;
  readonly uid: number;
  readonly isDirectory: boolean;
  /** Users other than root who may have written the header. */
  readonly authors: readonly number[];
  /** What shows that it is the task's own. */
  readonly shown: Shown;
}

/** Why something must not be removed. */
export interface Objection {
  readonly verdict: 'refused' | 'kept';
  readonly why: string;
  /** What to say so that it goes. */
  readonly hint?: string;
  /** What tells of it stays too: it may go the next time. */
  readonly holds?: boolean;
}

/** What the guards ask of the machine. */
export interface GuardContext {
  readonly euid: number;
  readonly protectedPaths: ProtectedPaths;
  readonly claims: Pick<Claims, 'on'>;
  /** A task that came since the claims were gathered and uses the directory: who, or undefined. */
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
  /** Asked right before the removal, of what is there then. */
  readonly again: (item: Item, context: GuardContext) => Objection | undefined;
}

function guard(name: string, ask: Guard['plan'], again: Guard['again'] = ask): Guard {
  return { name, plan: ask, again };
}

function refused(why: string | undefined): Objection | undefined {
  return why === undefined ? undefined : { verdict: 'refused', why };
}

/** Right whatever else is there: the place says it, or a mark with the root's path and inode. */
const CERTAIN: ReadonlySet<Evidence> = new Set(['place', 'mark']);

function claimed({ path, key }: Item, { claims }: GuardContext): Objection | undefined {
  const claim = claims.on(path, key);
  return refused(claim && `${claim.by} uses ${claim.path}`);
}

/**
 * All that speaks against the removal of logs or data, in the order in which it is asked. What is planned is asked
 * again by the same list right before.
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
    // In the Mesos layout the root stands in the run directory, beside what is removed.
    refused(
      rootPlace({ path, task_id, root }, LAYOUTS[layout].ownsSandboxes ? [root] : protectedPaths.roots),
    ),
  ),
  guard('claim', claimed, (item, context) => claimed(item, context) ?? refused(context.newcomer(item))),
  // A sandbox that is not another root's holds logs that aren't either.
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
    // Of a Mesos task all that is in its run directory is its own.
    const asked = !LAYOUTS[layout].ownsSandboxes && euid === 0 && authors.length > 0;
    return refused(asked && !authors.includes(uid) ? foreignWords(uid, authors) : undefined);
  }),
  guard('use', ({ path, dev, ino }, { usage }) => {
    const user = usage.of(path, { dev, ino });
    return user && { verdict: 'refused', why: userWords(user), holds: true };
  }),
];

/** The first objection of a list of guards; undefined if none has one. */
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
