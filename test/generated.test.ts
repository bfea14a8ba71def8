import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from './e2e/harness.js';

test('generated files are what the source makes of them', () => {
  const check = spawnSync(process.execPath, [join(REPOSITORY, 'scripts/generate.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect({ status: check.status, stderr: check.stderr }).toEqual({ status: 0, stderr: '' });
});
