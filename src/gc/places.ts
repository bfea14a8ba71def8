import { sandboxesIn } from '../layout/root-paths.js';
import { isWithin, nameOf, parentOf } from '../store/paths.js';

/** Directories that belong to no task with all their content, whatever a checkpoint says. */
const SYSTEM_TREES = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/proc',
  '/sbin',
  '/sys',
  '/usr',
];
/** The direct content of these belongs to the machine or its users; only deeper directories may belong to a task. */
const SYSTEM_SHELVES = ['/', '/home', '/run', '/var', '/var/lib', '/var/log'];

/** The paths on a host that gc must not touch. All are without links. */
export interface ProtectedPaths {
  /** Home directories of all users. */
  homes: readonly string[];
  mountPoints: readonly string[];
  /** Task roots and Mesos work directories. */
  roots: readonly string[];
}

/** A directory that a header names as belonging to its task. */
export interface Named {
  /** Without links. */
  path: string;
  task_id: string;
  /** The root of its task, without links. */
  root: string;
}

/** The prefix of all paths in a directory. */
function below(directory: string): string {
  return directory === '/' ? '/' : `${directory}/`;
}

/** Why a path belongs to the system, whatever a header says; undefined if it does not. Pure, like all functions here. */
export function systemPlace(path: string): string | undefined {
  if (path === '/') return 'it is the root of the file system';
  for (const tree of SYSTEM_TREES)
    if (path === tree || path.startsWith(`${tree}/`)) return `${tree} belongs to the system`;
  if (SYSTEM_SHELVES.includes(path) || SYSTEM_SHELVES.includes(parentOf(path))) {
    return 'a directory that high up belongs to the system';
  }
  return undefined;
}

/** Why a path is, or contains, a user's home. */
export function homePlace(path: string, homes: readonly string[]): string | undefined {
  const inside = below(path);
  for (const home of homes) {
    if (home !== '/' && (home === path || home.startsWith(inside))) {
      return home === path ? 'it is a home directory' : `the home directory ${home} is in it`;
    }
  }
  return undefined;
}

/** Why a path belongs to a task root, its own or another, outside the task's own part of it. */
export function rootPlace({ path, task_id, root }: Named, roots: readonly string[]): string | undefined {
  for (const other of roots) {
    if (isWithin(other, path))
      return other === path ? 'it is a task root' : `the task root ${other} is in it`;
    if (!isWithin(path, other)) continue;
    const own = other === root && isWithin(path, `${sandboxesIn(root)}/${task_id}`);
    if (!own && isWithin(path, sandboxesIn(other))) {
      return `${nameOf(path)} among the sandboxes of ${other} is not the sandbox of task ${task_id}`;
    }
    if (!own) return `it is a part of the task root ${other}`;
  }
  return undefined;
}

/** Why a directory must not be removed while something is mounted there; undefined if nothing is. */
export function mounted(path: string, mountPoints: readonly string[]): string | undefined {
  const inside = below(path);
  const point = mountPoints.find((each) => each === path || each.startsWith(inside));
  if (point === undefined) return undefined;
  return point === path ? 'something is mounted there' : `something is mounted in it, at ${point}`;
}
