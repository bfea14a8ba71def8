import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { underUmask } from '../../src/host/umask.js';
import { REPOSITORY, tempDir } from '../e2e/harness.js';

let temp: ReturnType<typeof tempDir>;
beforeAll(async () => {
  temp = tempDir();
  await build({
    entryPoints: [join(REPOSITORY, 'src/host/umask.ts')],
    outdir: temp.path,
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    format: 'cjs',
  });
});
afterAll(() => temp.remove());

test.each([
  ['0000', '0022'],
  ['0002', '0022'],
  ['0022', '0022'],
  ['0027', '0027'],
  ['0077', '0077'],
  ['0777', '0077'],
])("of %s ours is %s, and the caller's is known", (callers, ours) => {
  const program = `const { takeUmask } = require(${JSON.stringify(join(temp.path, 'umask.cjs'))});
    console.log(takeUmask(), takeUmask(), process.umask(0));`;
  const line = `umask ${callers}; exec '${process.execPath}' -e '${program}'`;
  const decimal = (octal: string) => String(Number.parseInt(octal, 8));
  expect(execFileSync('bash', ['-c', line], { encoding: 'utf8' }).trim().split(' ')).toEqual([
    decimal(callers),
    decimal(callers),
    decimal(ours),
  ]);
});

test('one for a while', () => {
  const before = process.umask(0o022);
  expect(underUmask(0o027, () => process.umask(0o027))).toBe(0o027);
  expect(() =>
    underUmask(0o077, () => {
      throw new Error('in between');
    }),
  ).toThrow('in between');
  expect(process.umask(before)).toBe(0o022);
});
