import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTool } from '../../src/host/run-tool.js';
import { tempDir } from '../e2e/harness.js';

test('a program that a signal ends is run again', () => {
  const temp = tempDir();
  const path = join(temp.path, 'seen');
  const line = `[ -e ${path} ] || { : > ${path}; kill -INT $$; }; echo done; exit 3`;
  expect(runTool('sh', ['-c', line])).toMatchObject({ status: 3, signal: null, stdout: 'done\n' });
  expect(existsSync(path)).toBe(true);
  temp.remove();
});

test('but not for ever', () => {
  const temp = tempDir();
  const path = join(temp.path, 'times');
  writeFileSync(path, '');
  const { status, signal } = runTool('sh', ['-c', `echo >> ${path}; kill -KILL $$`]);
  expect([status, signal]).toEqual([null, 'SIGKILL']);
  temp.remove();
});

test('one that is not there is an error', () => {
  const temp = tempDir();
  expect(runTool(join(temp.path, 'tool'), []).error).toMatchObject({ code: 'ENOENT' });
  temp.remove();
});
