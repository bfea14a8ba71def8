import { lstatSync } from 'node:fs';
import type { TaskRoot } from '../discovery/found.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { MESOS_PATH, mesosIdsOf, RUN_DEPTH } from '../layout/mesos.js';
import { byName, type Entry, listDirectory } from '../store/list.js';
import { presenceOf } from '../store/look.js';
import type { EmptyRun } from './check-executor.js';
import { isThermosRun } from './check-executor.js';
import { type FileTail, readFileTail, readSmallFile } from './file-tail.js';
import { isDockerExecutor } from './mesos-info.js';

/** What stderr ends with is enough: the loader and Python say it last. */
const OUTPUT_BYTES = 64 * 1024;
const OUTPUTS = ['stderr', '__main__.log', 'stdout'];
const MOST_SHOWN = 10_000;

/**
 * The run directories of a work directory in which there is no trace of a task, though they are Thermos's. Links
 * are not followed. `withTasks`: run directories that are known to hold one.
 */
export function* emptyRuns(
  workDir: string,
  withTasks: ReadonlySet<string>,
  isAlive: (pid: number) => boolean,
): Generator<EmptyRun> {
  for (const runDir of runsBelow(workDir, 0)) {
    if (withTasks.has(runDir) || holdsTask(runDir)) continue;
    const run = look(workDir, runDir, isAlive);
    if (run !== undefined && isThermosRun(run)) yield run;
  }
}

function* runsBelow(directory: string, level: number): Generator<string> {
  if (level === RUN_DEPTH) {
    yield directory;
  } else if (MESOS_PATH[level] !== undefined) {
    const next = `${directory}/${MESOS_PATH[level]}`;
    if (level === 0 || presenceOf(next, 'no-follow') !== 'other') yield* runsBelow(next, level + 1);
  } else {
    for (const entry of list(directory)) {
      if (entry.isDirectory()) yield* runsBelow(`${directory}/${entry.name}`, level + 1);
    }
  }
}

/** What can't be listed is discovery's to tell. */
function list(directory: string): Entry[] {
  try {
    return listDirectory(directory, { max: MOST_ENTRIES.mesosLevel }).entries.sort(byName);
  } catch {
    return [];
  }
}

function holdsTask(runDir: string): boolean {
  const root = `${runDir}/checkpoints`;
  return ['tasks/active', 'tasks/finished', 'checkpoints'].some((name) => list(`${root}/${name}`).length > 0);
}

function look(workDir: string, runDir: string, isAlive: (pid: number) => boolean): EmptyRun | undefined {
  const mesos = mesosIdsOf(runDir);
  let mtimeMs: number;
  let entries: string[];
  try {
    mtimeMs = lstatSync(runDir).mtimeMs;
    // One that may not be entered is told by discovery.
    entries = listDirectory(runDir, { max: MOST_SHOWN })
      .entries.sort(byName)
      .map(({ name }) => name);
  } catch {
    return undefined;
  }
  if (mesos === undefined) return undefined;
  const meta = `${workDir}/meta${runDir.slice(workDir.length)}`;
  const seen = presenceOf(`${meta}/executor.sentinel`);
  const info = readSmallFile(`${meta.slice(0, meta.lastIndexOf('/runs/'))}/executor.info`);
  return {
    runDir,
    mesos,
    entries,
    outputs: outputsOf(runDir),
    mtimeMs,
    over: seen === 'other' ? true : lives(meta, isAlive) ? false : undefined,
    docker: info !== undefined && isDockerExecutor(info),
  };
}

/** The agent wrote the pid down, and there is such a process; it may be another's by now, then nothing is said. */
function lives(meta: string, isAlive: (pid: number) => boolean): boolean {
  const text = readSmallFile(`${meta}/pids/forked.pid`, 32)?.toString('utf8').trim();
  return text !== undefined && /^\d+$/.test(text) && isAlive(Number(text));
}

function outputsOf(runDir: string): FileTail[] {
  const outputs: FileTail[] = [];
  for (const name of OUTPUTS) {
    try {
      const tail = readFileTail(`${runDir}/${name}`, OUTPUT_BYTES);
      if (tail !== undefined) outputs.push(tail);
    } catch {
      // Not ours to read: what else there is decides.
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
