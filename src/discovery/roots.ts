import type { ProblemCode } from '../errors/codes.js';
import type { Problem } from '../errors/problem.js';
import { accountGroups } from '../host/groups.js';
import { HOST, type LayoutName, MESOS } from '../layout/layouts.js';
import { mesosIdsOf, RUN_DEPTH, rootInRun, runAroundRoot, SLAVES } from '../layout/mesos.js';
import { CHECKPOINTS, PHASES, phasePath, rootPaths } from '../layout/root-paths.js';
import { Directories } from '../store/directories.js';
import { absolutePath, isDirectory, presenceOf, realPath } from '../store/look.js';
import { nameOf, parentOf } from '../store/paths.js';
import { unreadable } from '../store/problems.js';
import { findStranger, type Stranger, wayTo } from '../store/witnesses.js';
import { shellArguments } from '../text/shell.js';
import { agentWorkDirs, KNOWN_WORK_DIRS } from './agents.js';
import type { TaskRoot } from './found.js';
import { isRunDir, mesosDepthOf, mesosRoots, rootOfRun, throughLatest } from './mesos-tree.js';

/** The places of the machine that discovery goes by; made up in tests. */
export interface Places {
  proc: string;
  etc: string;
  /** The bare root that everybody knows. */
  hostRoot: string;
  /** Mesos work directories to look for when nothing says where the agent works. */
  workDirs: readonly string[];
}

export const PLACES: Places = {
  proc: '/proc',
  etc: '/etc',
  hostRoot: '/var/run/thermos',
  workDirs: KNOWN_WORK_DIRS,
};

export interface RootOptions {
  flags: { root?: readonly string[]; mesosRoot?: readonly string[] };
  env: Readonly<Record<string, string | undefined>>;
  /** For relative paths. Undefined if the working directory was removed. */
  cwd: string | undefined;
  /** If the working directory lies in a task root or a Mesos sandbox, that one alone. */
  fromCwd?: boolean;
  euid: number;
  /** The user's home in /etc/passwd, asked for only if HOME is unset. */
  home?: () => string | undefined;
  places?: Partial<Places>;
}

/** Did a flag or a variable say where to look? Then nothing else counts. */
export function rootsAreNamed({ flags, env }: Pick<RootOptions, 'flags' | 'env'>): boolean {
  const flagged = (flags.root?.length ?? 0) + (flags.mesosRoot?.length ?? 0) > 0;
  return flagged || Boolean(env.THERMOS_ROOT || env.THERMOS_MESOS_ROOT);
}

export interface FoundRoots {
  roots: TaskRoot[];
  problems: Problem[];
}

/**
 * Where `run` keeps tasks of a user who may not write to the host's root: `$XDG_STATE_HOME/thermos`, else
 * `~/.local/state/thermos`. Undefined if there is no home. As the XDG specification has it, a relative
 * XDG_STATE_HOME counts as unset.
 */
export function userRoot(options: Pick<RootOptions, 'env' | 'home'>): string | undefined {
  const { XDG_STATE_HOME, HOME } = options.env;
  if (XDG_STATE_HOME?.startsWith('/')) return absolutePath(`${XDG_STATE_HOME}/thermos`, '/');
  const home = HOME || options.home?.();
  return home?.startsWith('/') ? absolutePath(`${home}/.local/state/thermos`, '/') : undefined;
}

/**
 * Finds the task roots. Flags replace everything else; else THERMOS_ROOT and THERMOS_MESOS_ROOT do; else, if
 * asked for, the root around the working directory; else the default ones of the host, the user and the Mesos
 * agents. What was named and isn't there, can't be read or is no root is a problem; a default that isn't there
 * is none. A root that is reached twice counts once, under the first path.
 */
export function discoverRoots(options: RootOptions): FoundRoots {
  const { flags, env } = options;
  const collected = new Collector(options);
  const given = (paths: readonly string[] | undefined) => paths !== undefined && paths.length > 0;
  if (given(flags.root) || given(flags.mesosRoot)) {
    for (const path of flags.root ?? []) collected.addNamed(path, '--root', false);
    for (const path of flags.mesosRoot ?? []) collected.addNamed(path, '--mesos-root', true);
    return collected.result();
  }
  if (env.THERMOS_ROOT || env.THERMOS_MESOS_ROOT) {
    for (const path of pathList(env.THERMOS_ROOT, options)) collected.addNamed(path, 'THERMOS_ROOT', false);
    for (const path of pathList(env.THERMOS_MESOS_ROOT, options)) {
      collected.addNamed(path, 'THERMOS_MESOS_ROOT', true);
    }
    return collected.result();
  }
  const around =
    options.fromCwd && options.cwd !== undefined ? rootAround(options.cwd, 'cwd')?.root : undefined;
  if (around !== undefined) {
    collected.add(around);
    return collected.result();
  }
  const places = { ...PLACES, ...options.places };
  collected.addDefault(places.hostRoot, 'default', false);
  const ofUser = userRoot(options);
  if (ofUser !== undefined) collected.addDefault(ofUser, 'user', true);
  for (const { path, source } of agentWorkDirs(env, places.proc, places.etc, options.euid)) {
    collected.addDefaultMesos(absolutePath(path, '/'), source, true);
  }
  for (const path of places.workDirs) collected.addDefaultMesos(path, 'default', false);
  return collected.result();
}

/** The paths in a variable: one path, if that exists with its colons and all, else a list as in PATH. */
function pathList(value: string | undefined, options: RootOptions): string[] {
  if (!value) return [];
  const paths = value.split(':').filter((path) => path !== '');
  if (paths.length < 2) return paths;
  return presenceOf(absolutePath(value, options.cwd ?? '/')) === 'absent' ? paths : [value];
}

/**
 * The root that a path lies in, or that lies beside it as `checkpoints` of a Mesos sandbox, and the way from
 * there down to the path; undefined if there is none on the way up. The path is absolute and is there.
 */
export function rootAround(path: string, source: string): { root: TaskRoot; below: string[] } | undefined {
  for (let base = path; ; base = parentOf(base)) {
    const below = path
      .slice(base.length)
      .split('/')
      .filter((name) => name !== '');
    if (looksLikeRoot(base)) return { root: rootAt(base, source, false), below };
    if (isRunDir(base)) return { root: rootOfRun(base, source), below: [] };
    const inside = mesosIdsOf(base) === undefined ? 'absent' : presenceOf(rootInRun(base));
    if (inside === 'directory' || typeof inside === 'object') {
      return { root: { ...rootOfRun(base, source), readable: inside === 'directory' }, below: [] };
    }
    if (base === '/') return undefined;
  }
}

/** Many a directory has a `tasks` in it; a root has more. Used where nobody said that it is one. */
export function looksLikeRoot(path: string): boolean {
  return (
    isDirectory(rootPaths(path).checkpoints) && PHASES.some((phase) => isDirectory(phasePath(path, phase)))
  );
}

/** Enough where somebody said that it is a root. */
export function mayBeRoot(path: string): boolean {
  const { tasks, checkpoints } = rootPaths(path);
  return isDirectory(tasks) || isDirectory(checkpoints);
}

/** A checkpoint root as such; it belongs to a Mesos sandbox if its path says so, or if we were told. */
export function rootAt(path: string, source: string, mesos: boolean): TaskRoot {
  const runDir = runAroundRoot(path);
  return runDir !== undefined && (mesos || mesosIdsOf(runDir) !== undefined)
    ? { ...rootOfRun(runDir, source), path }
    : { path, layout: HOST.name, source, readable: true };
}

/**
 * Who else than root and ourselves may have laid something in a place where everybody would look; undefined if
 * nobody may, or it can't be seen.
 */
export function strangerAt(path: string, euid: number): Stranger | undefined {
  const directories = new Directories();
  try {
    return findStranger(wayTo(path, [], directories), new Set([0, euid]), accountGroups());
  } catch {
    return undefined;
  } finally {
    directories.close();
  }
}

/** The real path, also of something that is in a directory we may not search. */
function identityOf(path: string): string {
  return realPath(path) ?? `${realPath(parentOf(path)) ?? parentOf(path)}/${nameOf(path)}`;
}

class Collector {
  readonly #options: RootOptions;
  readonly #roots: TaskRoot[] = [];
  readonly #problems: Problem[] = [];
  readonly #seen = new Set<string>();

  constructor(options: RootOptions) {
    this.#options = options;
  }

  result(): FoundRoots {
    return { roots: this.#roots, problems: this.#problems };
  }

  add(root: TaskRoot, identity = identityOf(root.path)): void {
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#roots.push(root);
  }

  /** `believed`: somebody told us of the place, by a variable or a configuration. */
  addDefault(path: string, source: string, believed: boolean): void {
    const found = presenceOf(path);
    if (typeof found === 'object') this.#mayNotBeThere(path, source, found.error);
    else if (found !== 'directory' || (!believed && this.#isOfStrangers(path, source))) return;
    else if (mayBeRoot(path)) this.add(rootAt(path, source, false));
  }

  addDefaultMesos(path: string, source: string, believed: boolean): void {
    const found = presenceOf(`${path}/${SLAVES}`);
    if (found !== 'absent' && !believed && this.#isOfStrangers(path, source)) return;
    if (typeof found === 'object') {
      if (isDirectory(path)) this.#cannotRead(path, source, found.error, MESOS.name);
      else this.#mayNotBeThere(path, source, found.error);
    } else if (found === 'directory') this.#addMesos(path, 0, source);
  }

  /** A path that somebody named, whichever flag or variable it stood in: what is there decides. */
  addNamed(given: string, source: string, mesos: boolean): void {
    const path = throughLatest(absolutePath(given, this.#options.cwd ?? '/'));
    const layout = (mesos ? MESOS : HOST).name;
    const found = presenceOf(path);
    if (typeof found === 'object') {
      this.#cannotRead(path, source, found.error, layout);
      return;
    }
    if (found !== 'directory') {
      const what = found === 'absent' ? 'does not exist' : 'is not a directory';
      this.#problem('root-missing', 'error', path, `${source} ${path} ${what}`, 'check the path');
      return;
    }
    const tasks = presenceOf(rootPaths(path).tasks);
    if (typeof tasks === 'object') {
      // Searching it is not allowed, so nothing in it can be told, not even what it is.
      const ids = mesosIdsOf(path);
      if (ids !== undefined) this.#addMesos(path, RUN_DEPTH, source);
      else this.#cannotRead(path, source, tasks.error, layout);
      return;
    }
    if (tasks === 'directory' && (!mesos || !isDirectory(`${path}/${SLAVES}`))) {
      this.add(rootAt(path, source, mesos));
      return;
    }
    const depth = mesosDepthOf(path);
    if (depth !== undefined) {
      if (this.#addMesos(path, depth, source)) return;
      const message = `${source} ${path} is in a Mesos tree, but no sandbox there has a checkpoints directory`;
      this.#problem('root-empty', 'warning', path, message);
    } else if (isDirectory(rootPaths(path).checkpoints)) {
      this.add(rootAt(path, source, mesos));
    } else {
      const message = `${source} ${path} is not a task root: it has no tasks, checkpoints or slaves directory`;
      this.#problem('root-empty', 'warning', path, message, this.#likelyRoot(path, mesos));
    }
  }

  /** False if there was nothing to tell. */
  #addMesos(path: string, depth: number, source: string): boolean {
    const { roots, problems } = mesosRoots(path, depth, source);
    // There are no links below, so one question is enough for thousands of sandboxes.
    const base = depth === 0 ? `${path}/${SLAVES}` : path;
    const real = identityOf(base);
    for (const root of roots) this.add(root, real + root.path.slice(base.length));
    for (const each of problems) this.#problems.push(each);
    return roots.length > 0 || problems.length > 0;
  }

  #isOfStrangers(path: string, source: string): boolean {
    const stranger = strangerAt(path, this.#options.euid);
    if (stranger === undefined) return false;
    const message = `the task root ${path} (${source}) is not looked at: ${stranger.path} ${stranger.what}`;
    this.#problem(
      'root-untrusted',
      'warning',
      path,
      message,
      `name it to look at it: --root ${shellArguments(path)}`,
    );
    return true;
  }

  /** A default place that can't be seen from here: probably there is nothing, and nobody asked for it. */
  #mayNotBeThere(path: string, source: string, error: unknown): void {
    const tried = `see whether there is a task root ${path} (${source})`;
    this.#problems.push(unreadable({ code: 'root-unreadable', severity: 'warning', tried, error, path }));
  }

  #cannotRead(path: string, source: string, error: unknown, layout: LayoutName = HOST.name): void {
    this.add({ path, layout, source, readable: false });
    this.#problems.push(
      unreadable({ code: 'root-unreadable', tried: `look into ${source} ${path}`, error, path }),
    );
  }

  #problem(
    code: ProblemCode,
    severity: Problem['severity'],
    path: string,
    message: string,
    hint?: string,
  ): void {
    this.#problems.push({ code, severity, message, path, hint });
  }

  #likelyRoot(path: string, mesos: boolean): string {
    for (const name of ['root', 'thermos', 'mesos', CHECKPOINTS]) {
      const inside = `${path}/${name}`;
      if (mayBeRoot(inside) || isDirectory(`${inside}/${SLAVES}`)) return `did you mean ${inside}?`;
    }
    return mesos
      ? "give the agent's --work_dir, which holds slaves/"
      : 'give the directory that holds tasks/ and checkpoints/';
  }
}
