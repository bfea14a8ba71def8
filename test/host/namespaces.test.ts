import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { foreignTo } from '../../src/host/namespaces.js';
import { placeForEach } from '../e2e/harness.js';

const place = placeForEach();

async function start(program: string, ...words: string[]): Promise<number> {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  place.children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child.pid as number;
}

const WAIT = ['sh', '-c', 'echo; exec cat'];
const AS_USER = process.getuid?.() === 0 ? [] : ['-U'];

test('a process like us has nothing that is foreign', async () => {
  expect(foreignTo(await start('env', ...WAIT))).toEqual([]);
});

test.skipIf(spawnSync('unshare', [...AS_USER, '-u', 'true']).status !== 0)(
  'the kinds of namespaces that differ are named',
  async () => {
    const expected = [...AS_USER.map(() => 'user'), 'uts'];
    expect(foreignTo(await start('unshare', ...AS_USER, '-u', ...WAIT))).toEqual(expected);
  },
);

test.skipIf(process.getuid?.() !== 0)('another root directory is named', async () => {
  const script = 'chroot($ARGV[0]) or die; $| = 1; print "\\n"; <STDIN>';
  expect(foreignTo(await start('perl', '-e', script, place.path))).toEqual(['root']);
});

test('of a process that is gone, nothing is known', () => {
  expect(foreignTo(4_194_301)).toBeUndefined();
});
