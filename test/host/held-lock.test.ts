import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holdOf } from '../../src/host/held-lock.js';
import { tempDir } from '../e2e/harness.js';

let temp: ReturnType<typeof tempDir>;
let path: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  temp = tempDir();
  path = `${temp.path}/runner`;
  writeFileSync(path, '');
  writeFileSync(`${temp.path}/other`, '');
});
afterEach(() => {
  for (const { pid } of children.splice(0)) process.kill(-(pid as number), 'SIGKILL');
  temp.remove();
});

/** Runs a shell until the test is over; resolves to its pid when it has said something. */
async function shell(script: string): Promise<number> {
  const child = spawn(
    'bash',
    ['-c', `${script}; echo; while :; do read -t 60 x; done`, path, `${temp.path}/other`],
    {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child.pid as number;
}

test('who holds the lock, by a descriptor that writes or only reads', async () => {
  const writer = await shell('exec 9>>"$0"; flock 9');
  expect(holdOf(writer, statSync(path))).toEqual({ isWritable: true });
  expect(holdOf(writer, statSync(`${temp.path}/other`))).toBe('none');
  const reader = await shell('exec 9<"$1"; flock 9');
  expect(holdOf(reader, statSync(`${temp.path}/other`))).toEqual({ isWritable: false });
});

test('who has the file open while another holds the lock does not hold it, nor does one who shares the reading', async () => {
  const holder = await shell('exec 9>>"$0"; flock 9');
  const looker = await shell('exec 9>>"$0"');
  expect(holdOf(looker, statSync(path))).toBe('none');
  expect(holdOf(holder, statSync(path))).not.toBe('none');
  const sharer = await shell('exec 9<"$1"; flock -s 9');
  expect(holdOf(sharer, statSync(`${temp.path}/other`))).toBe('none');
});

test('a process that is gone holds nothing', () => {
  expect(holdOf(4_194_303, statSync(path))).toBe('none');
});
