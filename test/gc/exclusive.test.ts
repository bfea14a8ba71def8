import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockRoots } from '../../src/gc/exclusive.js';
import type { PlannedTask } from '../../src/gc/plan.js';
import { tempDir } from '../e2e/harness.js';
import { subject } from './subjects.js';

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  for (const name of ['a', 'b']) mkdirSync(`${dir}/${name}`);
});
afterEach(() => remove());

function planned(root: string, runDir?: string): PlannedTask {
  const task = subject({ root, runDir });
  return { ...task, reason: '', rule: '', actions: [], finish: undefined, marked: false, subject: task };
}

/** What of a directory this process has open. */
function openBelow(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(`${directory}/`) ? [path] : [];
    } catch {
      return [];
    }
  });
}

test('two have different roots; of one root the second is refused, and holds nothing', () => {
  const refused = () =>
    expect(() => lockRoots([planned(`${dir}/b`), planned(`${dir}/a`)])).toThrow(
      expect.objectContaining({
        code: 'gc-running',
        message: expect.stringMatching(/^(process \d+|another process) holds the lock of gc on /),
      }),
    );
  const release = lockRoots([planned(`${dir}/a`), planned(`${dir}/a`)]);
  lockRoots([planned(`${dir}/b`)])();
  refused();
  expect(openBelow(dir)).toEqual([`${dir}/a`]);
  lockRoots([planned(`${dir}/b`)])();
  release();
  lockRoots([planned(`${dir}/a`)])();
});

test('of an agent’s tasks the whole work directory', () => {
  const run = (container: string) => {
    const path = `${dir}/work/slaves/S0/frameworks/F0/executors/thermos-t/runs/${container}`;
    mkdirSync(path, { recursive: true });
    return planned(`${path}/checkpoints`, path);
  };
  const release = lockRoots([run('C0')]);
  expect(() => lockRoots([run('C1')])).toThrow(`lock of gc on ${dir}/work`);
  release();
});
