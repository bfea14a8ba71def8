import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { RunnerHeader } from '../../src/checkpoint/records.js';
import type { GcDocument } from '../../src/contracts/gc.js';
import { RAN, Records, type TaskFiles, writeTask } from '../task/trees.js';
import { type Finished, PROGRAM, type RunOptions, runToEnd, thermos } from './harness.js';
import { expectContract } from './tasks.js';

export interface GcTask extends TaskFiles {
  header?: RunnerHeader;
  /** Files of the sandbox; default a few, with logs. */
  sandbox?: Record<string, string>;
  /** How long ago it finished. */
  ageMs?: number;
}

/** A finished task with sandbox and logs, as `run` makes it; `header` overrides what the stream says. */
export function gcTask(root: string, id: string, task: GcTask = {}): string {
  const sandbox = task.header?.sandbox ?? `${root}/sandboxes/${id}`;
  const { phase = 'finished', ageMs = 3_600_000, header } = task;
  const runner = new Records()
    .status('ACTIVE')
    .header({ task_id: id, sandbox, log_dir: `${sandbox}/.logs`, uid: 0, user: 'root', ...header })
    .process('p', ...RAN)
    .status('SUCCESS', Date.now() - ageMs);
  writeTask(root, id, { runner, ...task, phase });
  const files = task.sandbox ?? {
    'data.txt': 'x'.repeat(10_000),
    '.logs/p/0/stdout': 'out',
    '.logs/p/0/stderr': '',
  };
  for (const [name, text] of Object.entries(files)) put(join(sandbox, name), text);
  if (task.task !== null) setAge(`${root}/tasks/${phase}/${id}`, ageMs);
  return sandbox;
}

export function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Sets the mtime to so long before now. */
export function setAge(path: string, ageMs: number): void {
  const then = (Date.now() - ageMs) / 1000;
  utimesSync(path, then, then);
}

/** Everything below a directory, to the byte and the mtime. */
export function listing(top: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    const stat = lstatSync(path);
    const content = stat.isFile()
      ? createHash('sha1').update(readFileSync(path)).digest('hex')
      : stat.isSymbolicLink()
        ? readlinkSync(path)
        : '';
    found.set(path, `${stat.mode} ${stat.uid} ${stat.ino} ${stat.mtimeMs} ${content}`);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(top);
  return found;
}

/** Paths that are there no more; fails if anything else differs, but for the times of the directories they were in. */
export function gone(before: Map<string, string>, after: Map<string, string>): string[] {
  const missing = [...before.keys()].filter((path) => !after.has(path));
  const touched = new Set(missing.map((path) => dirname(path)));
  for (const [path, what] of after)
    if (!touched.has(path)) expect([path, what]).toEqual([path, before.get(path)]);
  return missing.sort();
}

/** Bytes of the disk, as du(1) counts them. */
export function du(path: string): number {
  return Number(spawnSync('du', ['-s', '-B1', path], { encoding: 'utf8' }).stdout.split('\t')[0]);
}

export interface GcAnswer extends Finished {
  json: GcDocument;
}

/** Runs gc with --json and checks its document. `hook`: a file of CommonJS that is loaded first. */
export function gc(args: readonly string[], options: RunOptions & { hook?: string } = {}): GcAnswer {
  const words = ['gc', '--json', ...args];
  const finished =
    options.hook === undefined
      ? thermos(words, options)
      : runToEnd(process.execPath, ['--require', options.hook, PROGRAM, ...words], options);
  if (finished.signal !== null) return { ...finished, json: {} as GcDocument };
  const json = JSON.parse(finished.stdout);
  expectContract('error' in json ? 'error' : 'gc', json);
  return { ...finished, json };
}

/** `KIND RESULT` of a task's actions, and why. */
export function actions({ json }: GcAnswer, id: string): string[] {
  const task = json.tasks.find(({ task_id }) => task_id === id);
  return (task?.actions ?? []).map(({ kind, result, why }) => `${kind} ${result}${why ? `: ${why}` : ''}`);
}

/** The paths that an answer says are or would be deleted. */
export function deleted({ json }: GcAnswer): string[] {
  return json.tasks
    .flatMap((task) => task.actions)
    .filter(({ result }) => result === 'deleted' || result === 'would-delete')
    .map(({ path }) => path)
    .sort();
}

/**
 * A hook that runs code at the N-th change of the disk below `top` (from 1 on), before it is made. In the code
 * `fs` is Node's, as it was.
 */
export function hookFile(path: string, nth: number, code: string): string {
  writeFileSync(
    path,
    `const real = require('node:fs');
const fs = { ...real };
const { spawnSync } = require('node:child_process');
let count = 0;
for (const name of ['unlinkSync', 'rmdirSync', 'renameSync', 'mkdirSync', 'ftruncateSync', 'lutimesSync', 'fdatasyncSync']) {
  real[name] = (...args) => {
    count += 1;
    if (count === ${nth}) { ${code} }
    return fs[name](...args);
  };
}
const { openSync } = fs;
real.openSync = (path, flags, ...rest) => {
  if (typeof flags === 'number' && (flags & fs.constants.O_CREAT) !== 0) {
    count += 1;
    if (count === ${nth}) { ${code} }
  }
  return openSync(path, flags, ...rest);
};
`,
  );
  return path;
}
