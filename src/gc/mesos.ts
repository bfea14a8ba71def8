import { agentFlag, GC_DELAY_MS, GC_DISK_HEADROOM } from '../discovery/agents.js';
import { errnoOf } from '../errors/errors.js';
import type { Host } from '../host/host.js';
import { isDead } from '../host/host.js';
import { mayPrecede } from '../host/start-time.js';
import { agentPaths, LATEST, mesosIdsOf, notePaths, RUN_DEPTH } from '../layout/mesos.js';
import { diskUse } from '../store/disk.js';
import { listDirectory } from '../store/list.js';
import { presenceOf, statFile } from '../store/look.js';
import { readText } from '../store/open-file.js';
import { durationOf } from '../text/duration.js';
import type { DirectoryUsage } from './usage.js';

/** A pid or a boot id. */
const LONGEST_WORD = 1024;

export interface Forecast {
  /** When the agent removes the sandbox if its disk has room, milliseconds since the epoch. */
  at: number;
  /** The disk is so full that it goes within a minute. */
  pressed: boolean;
}

/**
 * When the agent removes the sandbox of an executor that is gone: it touched the run directory at that time, and waits
 * for `gc_delay`, or less if the disk is fuller (slave.cpp, Slave::_checkDiskUsage). Pure.
 */
export function forecast(
  touchedAt: number,
  now: number,
  delay: number,
  headroom: number,
  usage: number,
): Forecast {
  return {
    at: touchedAt + delay,
    pressed: now - touchedAt > delay * Math.max(0, 1 - headroom - usage),
  };
}

/** Gives the forecast for a run directory, from the flags of the running agent or its configuration. */
export function forecaster(now: number, proc: string, etc: string): (runDir: string) => Forecast | undefined {
  // Finding them means reading all of /proc: do it once, and only if there is a run directory.
  let flags: { delay: number; headroom: number } | undefined;
  return (runDir) => {
    try {
      const stat = statFile(runDir);
      if (stat === undefined) return undefined;
      flags ??= collectionFlags(proc, etc);
      return forecast(stat.mtimeMs, now, flags.delay, flags.headroom, diskUse(runDir));
    } catch {
      return undefined;
    }
  };
}

function collectionFlags(proc: string, etc: string): { delay: number; headroom: number } {
  const euid = process.geteuid?.() ?? 0;
  const delay = durationOf(agentFlag('gc_delay', proc, etc, euid) ?? '') ?? GC_DELAY_MS;
  const headroom = Number(agentFlag('gc_disk_headroom', proc, etc, euid) ?? Number.NaN);
  return { delay, headroom: Number.isFinite(headroom) ? headroom : GC_DISK_HEADROOM };
}

/** The work directory that contains a run directory; undefined if the tree around it is incomplete. */
export function workDirOf(runDir: string): string | undefined {
  if (mesosIdsOf(runDir) === undefined) return undefined;
  return runDir.split('/').slice(0, -RUN_DEPTH).join('/') || '/';
}

/** The run directory that contains a path, by the fixed names of the tree. */
export function runDirAround(path: string): string | undefined {
  const segments = path.split('/');
  for (let end = segments.length; end > RUN_DEPTH; end--) {
    const directory = segments.slice(0, end).join('/');
    if (mesosIdsOf(directory) !== undefined) return directory;
  }
  return undefined;
}

/**
 * Is the executor of a run directory alive? The agent's metadata decides: the sentinel, the boot that it belongs to, its
 * forked pid. Without metadata (a copied tree, or already collected), it is alive if a process works in the run directory,
 * as the executor and the runner do. Undefined if it cannot be determined.
 */
export function executorAlive(
  runDir: string,
  host: Host,
  usage: DirectoryUsage,
  bootId: string | undefined,
): boolean | undefined {
  try {
    const identity = statFile(runDir);
    if (identity === undefined) return undefined;
    if (usage.of(runDir, identity) !== undefined) return true;
  } catch {
    return undefined;
  }
  const workDir = workDirOf(runDir);
  try {
    if (workDir === undefined || statFile(agentPaths(workDir).meta) === undefined) {
      return host.euid === 0 ? false : undefined;
    }
    const notes = notePaths(workDir, runDir);
    if (statFile(notes.directory) === undefined) return false;
    if (statFile(notes.sentinel) !== undefined) return false;
    const recordedBoot = wordIn(agentPaths(workDir).bootId);
    if (recordedBoot !== undefined && bootId !== undefined && recordedBoot !== bootId) return false;
    const pid = Number(wordIn(notes.pid) ?? Number.NaN);
    if (!Number.isInteger(pid)) return undefined;
    const process = host.process(pid);
    if (process === undefined) return host.presence(pid) === 'gone' ? false : undefined;
    const written = statFile(notes.pid)?.mtimeMs;
    if (written === undefined) return undefined;
    return !isDead(process) && mayPrecede(process.startTimeMs, written);
  } catch {
    return undefined;
  }
}

/** Undefined if the file does not exist. Throws other errors. */
function wordIn(path: string): string | undefined {
  try {
    return readText(path, { max: LONGEST_WORD }).trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Was the sandbox of a bare root's task in a Mesos tree of this machine that has no runs of its executor any more? A
 * dangling `latest` does not count. Uses the path in the header, so it applies to tasks of Aurora before 0.9.
 */
export function isPulled(recordedSandbox: string | undefined, taskId: string): boolean {
  const runDir = recordedSandbox === undefined ? undefined : runDirAround(recordedSandbox);
  const ids = runDir === undefined ? undefined : mesosIdsOf(runDir);
  if (runDir === undefined || ids?.executor_id !== `thermos-${taskId}`) return false;
  const runs = runDir.slice(0, runDir.lastIndexOf('/'));
  try {
    const workDir = workDirOf(runDir);
    if (workDir === undefined || presenceOf(agentPaths(workDir).slaves) === 'absent') return false;
    return listDirectory(runs, { max: 2 }).entries.every(({ name }) => name === LATEST);
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}
