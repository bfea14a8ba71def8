import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Places, RootOptions } from '../../src/discovery/roots.js';

/** Task files and checkpoint directories by task id. */
export interface Tasks {
  active?: readonly string[];
  finished?: readonly string[];
  /** Default: one for every task file. */
  checkpoints?: readonly string[];
}

/** Makes a task root with empty files; returns its path. */
export function makeRoot(path: string, { active = [], finished = [], checkpoints }: Tasks = {}): string {
  for (const phase of ['active', 'finished']) mkdirSync(join(path, 'tasks', phase), { recursive: true });
  mkdirSync(join(path, 'checkpoints'), { recursive: true });
  for (const id of active) writeFileSync(`${path}/tasks/active/${id}`, '{}');
  for (const id of finished) writeFileSync(`${path}/tasks/finished/${id}`, '{}');
  for (const id of checkpoints ?? [...active, ...finished]) {
    mkdirSync(`${path}/checkpoints/${id}`, { recursive: true });
    writeFileSync(`${path}/checkpoints/${id}/runner`, '');
  }
  return path;
}

/** Makes the sandbox of an Aurora task as Mesos lays it out, without `checkpoints`; returns the run directory. */
export function makeRun(
  workDir: string,
  executor: string,
  container: string,
  agent = 'S0',
  fw = 'F0',
): string {
  const run = `${workDir}/slaves/${agent}/frameworks/${fw}/executors/${executor}/runs/${container}`;
  mkdirSync(`${run}/sandbox/.logs`, { recursive: true });
  return run;
}

/** Makes a run directory with one finished task in it; returns its checkpoint root. */
export function makeTaskRun(workDir: string, task: string, container: string, agent = 'S0'): string {
  const run = makeRun(workDir, `thermos-${task}`, container, agent);
  return makeRoot(`${run}/checkpoints`, { finished: [task] });
}

/** Options under which nothing of the machine that runs the tests is seen. */
export function optionsIn(
  directory: string,
  options: Partial<Omit<RootOptions, 'places'>> & { places?: Partial<Places> } = {},
): RootOptions {
  return {
    flags: {},
    env: {},
    cwd: directory,
    euid: process.geteuid?.() ?? 0,
    ...options,
    places: {
      proc: `${directory}/no-proc`,
      etc: `${directory}/no-etc`,
      hostRoot: `${directory}/no-host-root`,
      workDirs: [],
      ...options.places,
    },
  };
}
