import type { TaskRoot } from '../discovery/found.js';
import { runDirectories } from '../discovery/mesos-tree.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import {
  agentPaths,
  EXECUTOR_OUTPUTS,
  mesosIdsOf,
  type NotePaths,
  notePaths,
  rootInRun,
} from '../layout/mesos.js';
import { rootPaths } from '../layout/root-paths.js';
import { Directories } from '../store/directories.js';
import { byName, type Entry, listDirectory } from '../store/list.js';
import { presenceOf, statFile } from '../store/look.js';
import type { EmptyRun } from './check-executor.js';
import { isThermosRun } from './check-executor.js';
import { type FileTail, type Opening, readFileTail, readSmallFile } from './file-tail.js';
import { isDockerExecutor } from './mesos-info.js';

/** The end of stderr is enough: the loader and Python print the reason last. */
const OUTPUT_BYTES = 64 * 1024;

/**
 * The run directories of Thermos in a work directory that hold no trace of a task. Links are not followed.
 * `withTasks`: run directories that are known to hold one.
 */
export function* emptyRuns(
  workDir: string,
  withTasks: ReadonlySet<string>,
  isAlive: (pid: number) => boolean,
): Generator<EmptyRun> {
  const directories = new Directories();
  // No links are expected below these two.
  const inTree = { below: agentPaths(workDir).slaves, directories };
  const inNotes = { below: agentPaths(workDir).meta, directories };
  try {
    for (const runDir of runDirectories(workDir, 0, {
      ...inTree,
      max: MOST_ENTRIES.mesosLevel,
      refused: reportedByDiscovery,
      cut: reportedByDiscovery,
    })) {
      if (withTasks.has(runDir) || holdsTask(runDir, inTree)) continue;
      const run = examineRun(runDir, inTree, notePaths(workDir, runDir), inNotes, isAlive);
      if (run !== undefined && isThermosRun(run)) yield run;
    }
  } finally {
    directories.close();
  }
}

/** Discovery reports directories that can't be listed or have too many entries. */
function reportedByDiscovery(): void {}

function list(directory: string, opening: Opening, max: number): Entry[] {
  try {
    return listDirectory(directory, { ...opening, max }).entries.sort(byName);
  } catch {
    return [];
  }
}

function holdsTask(runDir: string, opening: Opening): boolean {
  const root = rootInRun(runDir);
  // Most run directories here have no root, and three failed listings take longer.
  if (presenceOf(root, 'no-follow') === 'absent') return false;
  const { active, finished, checkpoints } = rootPaths(root);
  return [active, finished, checkpoints].some((path) => list(path, opening, 1).length > 0);
}

function examineRun(
  runDir: string,
  opening: Opening,
  notes: NotePaths,
  inNotes: Opening,
  isAlive: (pid: number) => boolean,
): EmptyRun | undefined {
  const mesos = mesosIdsOf(runDir);
  let mtimeMs: number | undefined;
  let entries: string[];
  try {
    mtimeMs = statFile(runDir, opening)?.mtimeMs;
    // Discovery reports a directory that can't be entered.
    const listed = listDirectory(runDir, { ...opening, max: MOST_ENTRIES.other }).entries;
    entries = listed.map(({ name }) => name).sort();
  } catch {
    return undefined;
  }
  if (mesos === undefined || mtimeMs === undefined) return undefined;
  const seen = presenceOf(notes.sentinel);
  const info = readSmallFile(notes.info, inNotes);
  return {
    runDir,
    mesos,
    entries,
    outputs: outputsOf(runDir, opening),
    mtimeMs,
    over: seen === 'other' ? true : isExecutorAlive(notes, inNotes, isAlive) ? false : undefined,
    docker: info !== undefined && isDockerExecutor(info),
  };
}

/** Whether the pid that the agent recorded exists. If it was reused, the run is not reported. */
function isExecutorAlive({ pid }: NotePaths, opening: Opening, isAlive: (pid: number) => boolean): boolean {
  const text = readSmallFile(pid, opening, 32)?.toString('utf8').trim();
  return text !== undefined && /^\d+$/.test(text) && isAlive(Number(text));
}

function outputsOf(runDir: string, opening: Opening): FileTail[] {
  const outputs: FileTail[] = [];
  for (const name of EXECUTOR_OUTPUTS) {
    try {
      const tail = readFileTail(`${runDir}/${name}`, OUTPUT_BYTES, opening);
      if (tail !== undefined) outputs.push(tail);
    } catch {
      // Not readable: the other files decide.
    }
  }
  return outputs;
}

/** The roots that hold tasks, by their run directories. */
export function runsWithTasks(roots: Iterable<TaskRoot>): Set<string> {
  const runs = new Set<string>();
  for (const { run_dir } of roots) if (run_dir !== undefined) runs.add(run_dir);
  return runs;
}
