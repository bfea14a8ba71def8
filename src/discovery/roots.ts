import type { ProblemCode } from '../errors/codes.js';
import type { Problem } from '../errors/problem.js';
import { accountGroups } from '../host/groups.js';
import { HOST, type LayoutName, MESOS } from '../layout/layouts.js';
import { mesosIdsOf, RUN_DEPTH, rootInRun, runAroundRoot, SLAVES } from '../layout/mesos.js';
import { CHECKPOINTS, PHASES, phasePath, rootPaths } from '../layout/root-paths.js';
import { Directories } from '../store/directories.js';
import { absolutePath, isDirectory, presenceOf, realPath } from '../store/look.js';
import { directoriesTo, findUntrusted, type UntrustedPath } from '../store/ownership.js';
import { nameOf, parentOf } from '../store/paths.js';
import { unreadable } from '../store/problems.js';
import { shellArguments } from '../text/shell.js';
import { agentWorkDirs, KNOWN_WORK_DIRS } from './agents.js';
import type { TaskRoot } from './found.js';
import { isRunDir, mesosDepthOf, mesosRoots, rootOfRun, throughLatest } from './mesos-tree.js';

/** The directories of the machine that discovery uses; tests supply their own. */
export interface Places {
  proc: string;
  etc: string;
  /** The well-known bare root. */
  hostRoot: string;
  /** Mesos work directories to try when nothing says where the agent's is. */
  workDirs: readonly string[];
}

export const PLACES: Places = {
  proc: '/proc',
  etc: '/etc',
  hostRoot: '/var/run/thermos',
  workDirs: KNOWN_WORK_DIRS,
};

/** Places that a file of defaults names, to be searched instead of those that every host has. */
export interface DefaultRoots {
  root: readonly string[];
  mesosRoot: readonly string[];
  /** The path of the file. */
  source: string;
}

export interface RootOptions {
  flags: { root?: readonly string[]; mesosRoot?: readonly string[] };
  env: Readonly<Record<string, string | undefined>>;
  /** For relative paths. Undefined if the working directory was removed. */
  cwd: string | undefined;
  /** If the working directory is in a task root or a Mesos sandbox, use only that root. */
  fromCwd?: boolean;
  euid: number;
  /** The user's home in /etc/passwd, read only if HOME is unset. */
  home?: () => string | undefined;
  places?: Partial<Places>;
  defaultRoots?: DefaultRoots;
}

/** True if a flag or a variable names the roots. Then nothing else counts. */
export function rootsAreNamed({ flags, env }: Pick<RootOptions, 'flags' | 'env'>): boolean {
  const flagged = (flags.root?.length ?? 0) + (flags.mesosRoot?.length ?? 0) > 0;
  return flagged || Boolean(env.THERMOS_ROOT || env.THERMOS_MESOS_ROOT);
}

export interface FoundRoots {
  roots: TaskRoot[];
  problems: Problem[];
  /** The places that were looked at, whether there is anything or not: another root would appear in one of them. */
  places: string[];
  /** Like them, but new roots appear only in those that have changed a short time ago: see `mesosRoots`. */
  pending: string[];
}

/**
 * Where `run` keeps tasks of a user who may not write to the host's root: `$XDG_STATE_HOME/thermos`, else
 * `~/.local/state/thermos`. Undefined if there is no home. By the XDG specification, a relative
 * XDG_STATE_HOME counts as unset.
 */
export function userRoot(options: Pick<RootOptions, 'env' | 'home'>): string | undefined {
  const { XDG_STATE_HOME, HOME } = options.env;
  if (XDG_STATE_HOME?.startsWith('/')) return absolutePath(`${XDG_STATE_HOME}/thermos`, '/');
  const home = HOME || options.home?.();
  return home?.startsWith('/') ? absolutePath(`${home}/.local/state/thermos`, '/') : undefined;
}

/**
 * The sandbox that a Mesos agent gave to the executor or the command that we are a part of; undefined outside of one. The
 * task root in it is `rootInRun`, the task's own sandbox is `sandboxInRun`, as with Aurora's executor.
 */
export function executorSandbox({ env, cwd }: Pick<RootOptions, 'env' | 'cwd'>): string | undefined {
  const { MESOS_SANDBOX } = env;
  return MESOS_SANDBOX ? absolutePath(MESOS_SANDBOX, cwd ?? '/') : undefined;
}

/**
 * Finds the task roots. Flags override everything else; then THERMOS_ROOT and THERMOS_MESOS_ROOT do; then, with
 * `fromCwd`, the root around the working directory; then that of the executor that we are a part of, and what a file of
 * defaults names, else the defaults of the host, the user and the Mesos agents.
 * A named path that doesn't exist, can't be read or is not a root is a problem; a missing default is not.
 * A root that is found twice counts once, under the first path.
 */
export function discoverRoots(options: RootOptions): FoundRoots {
  const { flags, env } = options;
  const collected = new Collector(options);
  const given = (paths: readonly string[] | undefined) => paths !== undefined && paths.length > 0;
  if (given(flags.root) || given(flags.mesosRoot)) {
    for (const path of flags.root ?? []) collected.addFlagged(path, '--root', false);
    for (const path of flags.mesosRoot ?? []) collected.addFlagged(path, '--mesos-root', true);
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
  const ofExecutor = executorSandbox(options);
  if (ofExecutor !== undefined) collected.addExecutor(ofExecutor);
  if (options.defaultRoots !== undefined) {
    const { root, mesosRoot, source } = options.defaultRoots;
    for (const path of root) collected.addNamed(path, source, false);
    for (const path of mesosRoot) collected.addNamed(path, source, true);
    return collected.result();
  }
  collected.addDefault(places.hostRoot, 'default', false);
  const ofUser = userRoot(options);
  if (ofUser !== undefined) collected.addDefault(ofUser, 'user', true);
  for (const { path, source } of agentWorkDirs(env, places.proc, places.etc, options.euid)) {
    collected.addDefaultMesos(absolutePath(path, '/'), source, true);
  }
  for (const path of places.workDirs) collected.addDefaultMesos(path, 'default', false);
  return collected.result();
}

/** The paths in a variable: one path if the whole value exists, colons included; else a list as in PATH. */
function pathList(value: string | undefined, options: RootOptions): string[] {
  if (!value) return [];
  const paths = value.split(':').filter((path) => path !== '');
  if (paths.length < 2) return paths;
  return presenceOf(absolutePath(value, options.cwd ?? '/')) === 'absent' ? paths : [value];
}

/**
 * The root that contains a path, or that is beside it as `checkpoints` of a Mesos sandbox, and the names from the
 * root down to the path; undefined if no ancestor has a root. The path must be absolute and exist.
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

/** Stricter than `mayBeRoot`, because many directories contain a `tasks`. For paths that nobody named as a root. */
export function looksLikeRoot(path: string): boolean {
  return (
    isDirectory(rootPaths(path).checkpoints) && PHASES.some((phase) => isDirectory(phasePath(path, phase)))
  );
}

/** Enough for a path that somebody named as a root. */
export function mayBeRoot(path: string): boolean {
  const { tasks, checkpoints } = rootPaths(path);
  return isDirectory(tasks) || isDirectory(checkpoints);
}

/** The checkpoint root at a path; it belongs to a Mesos sandbox if its path or the caller (`mesos`) says so. */
export function rootAt(path: string, source: string, mesos: boolean): TaskRoot {
  const runDir = runAroundRoot(path);
  return runDir !== undefined && (mesos || mesosIdsOf(runDir) !== undefined)
    ? { ...rootOfRun(runDir, source), path }
    : { path, layout: HOST.name, source, readable: true };
}

/**
 * A user other than root and ourselves who may have created something in a default place; undefined if there is
 * none, or it can't be determined.
 */
export function strangerAt(path: string, euid: number): UntrustedPath | undefined {
  const directories = new Directories();
  try {
    return findUntrusted(directoriesTo(path, [], directories), new Set([0, euid]), accountGroups());
  } catch {
    return undefined;
  } finally {
    directories.close();
  }
}

/** The real path, even of something in a directory that we may not search. */
function identityOf(path: string): string {
  return realPath(path) ?? `${realPath(parentOf(path)) ?? parentOf(path)}/${nameOf(path)}`;
}

class Collector {
  readonly #options: RootOptions;
  readonly #roots: TaskRoot[] = [];
  readonly #problems: Problem[] = [];
  readonly #places: string[] = [];
  readonly #pending: string[] = [];
  readonly #seen = new Set<string>();

  constructor(options: RootOptions) {
    this.#options = options;
  }

  result(): FoundRoots {
    return { roots: this.#roots, problems: this.#problems, places: this.#places, pending: this.#pending };
  }

  add(root: TaskRoot, identity = identityOf(root.path)): void {
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#roots.push(root);
  }

  /** `trusted`: a variable or a configuration names the place. */
  addDefault(path: string, source: string, trusted: boolean): void {
    this.#places.push(path);
    const found = presenceOf(path);
    if (typeof found === 'object') this.#mayNotBeThere(path, source, found.error);
    else if (found !== 'directory' || (!trusted && this.#isOfStrangers(path, source))) return;
    else if (mayBeRoot(path)) this.add(rootAt(path, source, false));
  }

  /** The agent names the sandbox. */
  addExecutor(runDir: string): void {
    const root = rootOfRun(runDir, 'MESOS_SANDBOX');
    this.#places.push(root.path);
    const found = presenceOf(root.path);
    if (typeof found === 'object') this.#cannotRead(root.path, root.source, found.error, MESOS.name);
    else if (found === 'directory' && mayBeRoot(root.path)) this.add(root);
  }

  addDefaultMesos(path: string, source: string, trusted: boolean): void {
    this.#places.push(`${path}/${SLAVES}`);
    const found = presenceOf(`${path}/${SLAVES}`);
    if (found !== 'absent' && !trusted && this.#isOfStrangers(path, source)) return;
    if (typeof found === 'object') {
      if (isDirectory(path)) this.#cannotRead(path, source, found.error, MESOS.name);
      else this.#mayNotBeThere(path, source, found.error);
    } else if (found === 'directory') this.#addMesos(path, 0, source);
  }

  /** Like `addNamed`, for the path of a flag: the roots know it. */
  addFlagged(given: string, source: string, mesos: boolean): void {
    const before = this.#roots.length;
    this.addNamed(given, source, mesos);
    const named = absolutePath(given, this.#options.cwd ?? '/');
    for (const root of this.#roots.slice(before)) if (root.path !== named) root.named = named;
  }

  /** A path that the user named, in whichever flag or variable: what the path contains decides. */
  addNamed(given: string, source: string, mesos: boolean): void {
    const named = absolutePath(given, this.#options.cwd ?? '/');
    this.#places.push(named, `${named}/${SLAVES}`);
    const path = throughLatest(named);
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
      // We may not search it, so we can't determine what it is.
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

  /** False if there were neither roots nor problems. */
  #addMesos(path: string, depth: number, source: string): boolean {
    const { roots, problems, above, pending } = mesosRoots(path, depth, source);
    // No links are followed below, so one lookup is enough for thousands of sandboxes.
    const base = depth === 0 ? `${path}/${SLAVES}` : path;
    const real = identityOf(base);
    for (const root of roots) this.add(root, real + root.path.slice(base.length));
    for (const each of problems) this.#problems.push(each);
    for (const each of above) this.#places.push(each);
    for (const each of pending) this.#pending.push(each);
    return roots.length > 0 || problems.length > 0;
  }

  #isOfStrangers(path: string, source: string): boolean {
    const stranger = strangerAt(path, this.#options.euid);
    if (stranger === undefined) return false;
    const message = `the task root ${path} (${source}) is ignored: ${stranger.path} ${stranger.what}`;
    this.#problem(
      'root-untrusted',
      'warning',
      path,
      message,
      `to read it anyway, name it: --root ${shellArguments(path)}`,
    );
    return true;
  }

  /** A default place that we can't see: it probably doesn't exist, and nobody asked for it. */
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
