import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsOf } from '../../src/host/process-settings.js';
import { placeForEach } from '../e2e/harness.js';

const place = placeForEach();

test('a process has an environment, a working directory and a umask', async () => {
  const child = spawn('sh', ['-c', 'umask 027; echo; exec cat'], {
    cwd: place.path,
    env: { PATH: process.env.PATH, NAME: 'a=b\nc', EMPTY: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  place.children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  const { environment, cwd, umask } = settingsOf(child.pid as number);
  expect(environment).toMatchObject({ NAME: 'a=b\nc', EMPTY: '' });
  expect(realpathSync(cwd)).toBe(realpathSync(place.path));
  expect(umask).toBe(0o027);
});

test('one that is gone has none', () => {
  expect(() => settingsOf(4_194_301)).toThrow('ENOENT');
});
