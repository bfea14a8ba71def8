import { agentWorkDirs, KNOWN_WORK_DIRS } from '../discovery/agents.js';
import { executorSandbox, PLACES, userRoot } from '../discovery/roots.js';
import { Host } from '../host/host.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { rootInRun } from '../layout/mesos.js';
import { phasePath } from '../layout/root-paths.js';
import { pathsOf } from '../layout/task-paths.js';
import { listDirectory } from '../store/list.js';
import { realPath, statFile } from '../store/look.js';
import { isWithin } from '../store/paths.js';
import { readHeader } from '../task/header.js';
import { Claims } from './claims.js';
import type { GuardContext, Item } from './guards.js';
import { type Forecast, forecaster } from './mesos.js';
import type { ProtectedPaths } from './places.js';
import { DirectoryUsage } from './usage.js';

/** The state of the machine at one moment, as needed by gc. */
export interface Machine {
  host: Host;
  usage: DirectoryUsage;
  now: number;
  /** Users' homes, mounts, and the Mesos work directories. Roots are added. */
  protectedPaths: ProtectedPaths;
  /** Possible roots of tasks: the default ones and those that were named. Without links. */
  knownRoots: readonly string[];
  bootId: string | undefined;
  forecast: (runDir: string) => Forecast | undefined;
  /** Of all tasks that were read. */
  claims: Claims;
  newcomer: GuardContext['newcomer'];
}

/**
 * Reads the state of this machine. Unreadable parts are omitted, so less is known to be in use. `clock`: milliseconds
 * since the epoch; `now` is the one moment of it that all reported times refer to.
 */
export function gatherMachine(
  now: number,
  clock: () => number,
  env: Readonly<Record<string, string | undefined>>,
): Machine {
  const host = Host.local();
  const workDirs = [
    ...agentWorkDirs(env, '/proc', '/etc', host.euid).map(({ path }) => path),
    ...KNOWN_WORK_DIRS,
  ];
  const ofUser = userRoot({ env, home: () => host.userHome(host.euid) });
  const ofExecutor = executorSandbox({ env, cwd: undefined });
  const inExecutor = ofExecutor && rootInRun(ofExecutor);
  const roots = [PLACES.hostRoot, ofUser, inExecutor, ...(env.THERMOS_ROOT?.split(':') ?? [])];
  return {
    host,
    usage: new DirectoryUsage(undefined, clock),
    now,
    protectedPaths: {
      homes: homes(host, env),
      mountPoints: mountPoints(host),
      roots: realOf(workDirs),
    },
    knownRoots: realOf(roots),
    bootId: host.bootId(),
    forecast: forecaster(now, '/proc', '/etc'),
    claims: new Claims(),
    newcomer: () => undefined,
  };
}

/** The current state of the machine, with the previous knowledge of its tasks. */
export function lookAgain(before: Machine, clock: () => number): Machine {
  const host = before.host.again();
  return {
    ...before,
    host,
    usage: before.usage.again(clock),
    protectedPaths: { ...before.protectedPaths, mountPoints: mountPoints(host) },
  };
}

function mountPoints(host: Host): string[] {
  return host
    .mounts()
    .map(({ path }) => path)
    .filter((path) => path !== '/');
}

function realOf(paths: readonly (string | undefined)[]): string[] {
  return paths
    .map((path) => (path?.startsWith('/') ? realPath(path) : undefined))
    .filter((path) => path !== undefined);
}

/** Both as named and without links. */
function homes(host: Host, env: Readonly<Record<string, string | undefined>>): string[] {
  const all = [...host.homes(), env.HOME].filter((home) => home?.startsWith('/') === true) as string[];
  return [...new Set(all.flatMap((home) => [home, realPath(home) ?? home]))];
}

/**
 * Finds active tasks that were added to a root after its tasks were read, and the directories that they use. `known`: the
 * ids in each root, by its path. A root is listed again only if its active tasks changed.
 */
export function newcomers(known: ReadonlyMap<string, ReadonlySet<string>>): GuardContext['newcomer'] {
  const seen = new Map<string, { changed: number; places: { path: string; by: string }[] }>();
  return ({ root, path }: Pick<Item, 'root' | 'path'>) => {
    const active = phasePath(root, 'active');
    const changed = statFile(active)?.ctimeMs;
    if (changed === undefined) return undefined;
    let look = seen.get(root);
    if (look === undefined || look.changed !== changed) {
      look = { changed, places: placesOf(root, known.get(root)) };
      seen.set(root, look);
    }
    const used = look.places.find((place) => isWithin(place.path, path) || isWithin(path, place.path));
    return used && `${used.by}, which has just started, uses ${used.path}`;
  };
}

function placesOf(root: string, known: ReadonlySet<string> | undefined): { path: string; by: string }[] {
  const places: { path: string; by: string }[] = [];
  for (const { name } of listDirectory(phasePath(root, 'active'), { max: MOST_ENTRIES.tasks }).entries) {
    if (known?.has(name)) continue;
    const header = readHeader(pathsOf({ root, taskId: name }).stream, root);
    for (const recorded of [header?.sandbox, header?.log_dir]) {
      const path = recorded?.startsWith('/') ? realPath(recorded) : undefined;
      if (path !== undefined) places.push({ path, by: `task ${name}` });
    }
  }
  return places;
}
