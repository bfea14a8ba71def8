import { isWithin, nameOf, parentOf } from './files.js';
import type { FoundTask } from './found.js';

/** Where a recorded directory is on this machine. */
export interface Located {
  path: string;
  /** The path is not the recorded one. */
  relocated: boolean;
  /** It is there, and we may know. If false, the path is where it should be. */
  found: boolean;
}

/** The paths of a runner's header; `log_dir` is absent in old streams. */
export interface RecordedPaths {
  sandbox?: string;
  log_dir?: string;
}

/** Undefined is what neither was recorded nor stands where the layout has it. */
export interface LocatedPaths {
  sandbox?: Located;
  log_dir?: Located;
}

/** Gives a path without links, or undefined if it leads nowhere: `realPath` of `files.ts`. */
export type RealPath = (path: string) => string | undefined;

/** What Aurora calls the run directory inside a container with an image. */
const CONTAINER_SANDBOX = '/mnt/mesos/sandbox';

/** How much of the end of a recorded path is looked for beside a bare root. */
const MOST_SEGMENTS = 16;

/**
 * Where the sandbox and the logs of a task are here. What was recorded counts if it is there; else (copied,
 * mounted elsewhere, recorded inside a container) the same place is looked for next to the root: in the run
 * directory, or beside a bare root. A path in a Mesos tree tells the container: if it is the root's own, the
 * place in this run directory counts even if the recorded one exists, for who looks at a copy means the copy.
 *
 * Headers may be forged, so what is relocated is always really inside the run directory, or inside the
 * directory that holds the bare root, whatever `..` and links are on the way. Pure but for `realPath`.
 */
export function locatePaths(
  recorded: RecordedPaths,
  task: Pick<FoundTask, 'task_id' | 'root'>,
  realPath: RealPath,
): LocatedPaths {
  const { root } = task;
  const sandbox = locate(
    recorded.sandbox,
    root.run_dir ?? parentOf(root.path),
    root.run_dir,
    () =>
      root.run_dir !== undefined ? mesosSandboxes(root.run_dir) : bareSandboxes(recorded, task, realPath),
    realPath,
  );
  const log_dir = locate(
    recorded.log_dir,
    root.run_dir ?? parentOf(root.path),
    root.run_dir,
    () => logDirs(recorded, task, sandbox),
    realPath,
  );
  if (log_dir?.found || sandbox === undefined) return { sandbox, log_dir };
  // Not there, or in a sandbox that we may not enter; so what is said of it should be said of that place.
  const rest = recorded.log_dir === undefined ? '.logs' : below(recorded.log_dir, recorded.sandbox);
  if (rest === undefined || rest.split('/').includes('..')) return { sandbox, log_dir };
  return {
    sandbox,
    log_dir: { path: `${sandbox.path}/${rest}`, relocated: sandbox.relocated, found: false },
  };
}

function locate(
  recorded: string | undefined,
  base: string,
  runDir: string | undefined,
  candidates: () => readonly string[],
  realPath: RealPath,
): Located | undefined {
  const realBase = realPath(base);
  const inside = (path: string): boolean => {
    const real = realPath(path);
    return real !== undefined && realBase !== undefined && real !== realBase && isWithin(real, realBase);
  };
  const real = recorded?.startsWith('/') ? realPath(recorded) : undefined;
  if (recorded !== undefined && runDir !== undefined) {
    const own = inRunDir(recorded, runDir);
    if (own !== undefined && inside(own)) {
      // The same place under another name, if the work directory is reached through a link.
      return realPath(own) === real
        ? { path: recorded, relocated: false, found: true }
        : { path: own, relocated: true, found: true };
    }
  }
  if (recorded !== undefined && real !== undefined) return { path: recorded, relocated: false, found: true };
  const path = candidates().find(inside);
  if (path !== undefined)
    return { path, relocated: recorded !== undefined && path !== recorded, found: true };
  return recorded === undefined ? undefined : { path: recorded, relocated: false, found: false };
}

/** The place in this run directory that a path recorded by the same container means. */
function inRunDir(recorded: string, runDir: string): string | undefined {
  const run = `/runs/${nameOf(runDir)}/`;
  const at = recorded.indexOf(run);
  if (at !== -1) return `${runDir}/${recorded.slice(at + run.length)}`;
  return recorded.startsWith(`${CONTAINER_SANDBOX}/`)
    ? `${runDir}${recorded.slice(CONTAINER_SANDBOX.length)}`
    : undefined;
}

function mesosSandboxes(runDir: string): string[] {
  return [`${runDir}/sandbox`];
}

/** The most certain first. */
function bareSandboxes(
  { sandbox, log_dir }: RecordedPaths,
  { task_id, root }: Pick<FoundTask, 'task_id' | 'root'>,
  realPath: RealPath,
): string[] {
  const own = `${root.path}/sandboxes/${task_id}`;
  const parent = parentOf(root.path);
  if (parent === '/') return [own];
  const found = [...endsBeside(sandbox, root.path, 2), own, `${parent}/sandboxes/${task_id}`];
  // One name alone may be anything beside a root like /var/run/thermos, so it must look like a sandbox.
  const logs = below(log_dir, sandbox) ?? '.logs';
  for (const path of endsBeside(sandbox, root.path, 1, 1)) {
    const name = nameOf(path);
    if (name === 'sandbox' || name === task_id || realPath(`${path}/${logs}`) !== undefined) found.push(path);
  }
  return found;
}

function logDirs(
  { sandbox: recordedSandbox, log_dir }: RecordedPaths,
  { root }: Pick<FoundTask, 'root'>,
  sandbox: Located | undefined,
): string[] {
  const found: string[] = [];
  if (sandbox?.found) {
    const rest = below(log_dir, recordedSandbox);
    if (rest !== undefined) found.push(`${sandbox.path}/${rest}`);
    if (log_dir === undefined || root.run_dir !== undefined) found.push(`${sandbox.path}/.logs`);
  }
  if (root.run_dir !== undefined) found.push(`${root.run_dir}/sandbox/.logs`, `${root.run_dir}/.logs`);
  else found.push(...endsBeside(log_dir, root.path, 2));
  return found;
}

/**
 * The ends of a recorded path, the longest first, put beside a bare root: of `/old/place/sandboxes/x` that is
 * `BESIDE/place/sandboxes/x`, `BESIDE/sandboxes/x` and so on. The root itself is not beside it, but for its
 * `sandboxes`.
 */
function endsBeside(
  recorded: string | undefined,
  root: string,
  least: number,
  most = MOST_SEGMENTS,
): string[] {
  const segments = recorded?.split('/').filter((name) => name !== '' && name !== '.') ?? [];
  const parent = parentOf(root);
  if (parent === '/' || segments.includes('..')) return [];
  const found: string[] = [];
  for (let length = Math.min(most, segments.length); length >= least; length--) {
    const path = `${parent}/${segments.slice(-length).join('/')}`;
    if (!isWithin(path, root) || isWithin(path, `${root}/sandboxes`)) found.push(path);
  }
  return found;
}

/** The way from a directory down to a path in it; undefined if it isn't in it. */
function below(path: string | undefined, directory: string | undefined): string | undefined {
  if (path === undefined || directory === undefined || directory === '') return undefined;
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return path.startsWith(prefix) && path.length > prefix.length ? path.slice(prefix.length) : undefined;
}
