import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.js';
import { MaterialReader } from '../../src/task/material.js';
import { viewOf } from '../../src/task/view.js';
import { HAS_NATIVE } from '../runner/harness.js';
import { foundTask } from '../task/trees.js';
import { cleanEnv, REPOSITORY } from './harness.js';
import { isAlive, RunPlace } from './run-task.js';

type Kind = 'native' | 'js';
const KINDS: readonly Kind[] = HAS_NATIVE ? ['native', 'js'] : ['js'];
const COMBINATIONS = KINDS.flatMap((before) => KINDS.map((after) => [before, after] as const));

let place: RunPlace;
let directory: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  place = new RunPlace();
  directory = join(place.path, 'package');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await place.remove();
});

/** Puts the package there; what only Python configs need is linked. */
function install(): void {
  mkdirSync(join(directory, 'dist'), { recursive: true });
  for (const name of ['bin', 'package.json']) {
    cpSync(join(REPOSITORY, name), join(directory, name), { recursive: true });
  }
  for (const name of readdirSync(join(REPOSITORY, 'dist'))) {
    const [from, to] = [join(REPOSITORY, 'dist', name), join(directory, 'dist', name)];
    if (name.endsWith('.cjs') || name === 'coordinator') cpSync(from, to);
    else symlinkSync(from, to);
  }
}

const uninstall = () => rmSync(directory, { recursive: true });

/** Until a file is in the sandbox; then it leaves a word there. */
const wait = (name: string) => `until [ -e ${name} ]; do sleep 0.02; done; echo ${name} >> ran`;
const CONFIG = [
  { name: 'early', cmdline: wait('early') },
  { name: 'late', cmdline: wait('late') },
  { name: 'next', cmdline: wait('next') },
];

function run(kind: Kind, config: string): { child: ChildProcess; ended: Promise<unknown> } {
  const words = [join(directory, 'bin/run.js'), 'run', '--root', place.root, '--task-id', 't', config];
  const env = cleanEnv({ THERMOS_COORDINATOR: kind });
  const child = spawn(process.execPath, words, { env, stdio: 'ignore' });
  children.push(child);
  return { child, ended: once(child, 'exit') };
}

const allow = (name: string) => writeFileSync(join(place.sandbox('t'), name), '');

const LONGEST_MS = 60_000;

/** Resolves when the process is in the state, by all streams. */
async function until(name: string, state: string): Promise<number> {
  for (const deadline = Date.now() + LONGEST_MS; Date.now() < deadline; ) {
    const reader = new MaterialReader(foundTask(place.root, 't'), { history: false });
    const found = viewOf(reader.gather(Host.local())).processes.find(({ process }) => process === name);
    if (found?.state === state && found.coordinator_pid !== undefined) return found.coordinator_pid;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${name} is not ${state}`);
}

function expectProgram(coordinatorPid: number, kind: Kind, isDeleted: boolean): void {
  const native = join(realpathSync(place.path), 'package/dist/coordinator');
  const program = kind === 'js' ? realpathSync(process.execPath) : native;
  const rest = kind === 'native' && isDeleted ? ' (deleted)' : '';
  expect(readlinkSync(`/proc/${coordinatorPid}/exe`)).toBe(`${program}${rest}`);
}

function expectDone(): void {
  const processes = ['early', 'late', 'next'].map((process) => ({ process, state: 'SUCCESS', runs: 1 }));
  expect(place.inspect('t')).toMatchObject({ state: 'SUCCESS', verdict: 'ok', problems: [], processes });
  expect(place.file('t', 'ran')).toBe('early\nlate\nnext\n');
}

describe.each(COMBINATIONS)(
  'an upgrade of the package, from coordinators of kind %s to %s',
  (before, after) => {
    test('loses nothing if the runner ends before it: coordinators go on, and the new program resumes the task', async () => {
      install();
      const config = place.config(CONFIG, { constraints: [{ order: ['late', 'next'] }] }, 't');
      const old = run(before, config);
      await until('early', 'RUNNING');
      const coordinator = await until('late', 'RUNNING');
      old.child.kill('SIGKILL');
      await old.ended;
      uninstall();
      expectProgram(coordinator, before, true);
      allow('early');
      await until('early', 'SUCCESS');
      expect([existsSync(directory), isAlive(coordinator)]).toEqual([false, true]);
      install();
      const fresh = run(after, config);
      allow('late');
      expectProgram(await until('next', 'RUNNING'), after, false);
      allow('next');
      expect(await fresh.ended).toEqual([0, null]);
      expectDone();
    });
  },
);

test.each(KINDS)(
  'a runner that lives on starts the next process with the new package, kind %s',
  async (kind) => {
    install();
    const config = place.config(CONFIG, { constraints: [{ order: ['late', 'next'] }] }, 't');
    const { ended } = run(kind, config);
    await until('early', 'RUNNING');
    const coordinator = await until('late', 'RUNNING');
    uninstall();
    allow('early');
    await until('early', 'SUCCESS');
    install();
    expectProgram(coordinator, kind, true);
    allow('late');
    expectProgram(await until('next', 'RUNNING'), kind, false);
    allow('next');
    expect(await ended).toEqual([0, null]);
    expectDone();
  },
);
