import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REPOSITORY, tempDir } from '../e2e/harness.js';

let temp: ReturnType<typeof tempDir>;
beforeAll(async () => {
  temp = tempDir();
  await build({
    entryPoints: [join(REPOSITORY, 'src/host/inherited-descriptors.ts')],
    outdir: temp.path,
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    format: 'cjs',
  });
});
afterAll(() => temp.remove());

/** Which of these descriptors are open before and after the call, in a process that has them from its parent. */
function descriptors(ours: number): boolean[][] {
  const module = JSON.stringify(join(temp.path, 'inherited-descriptors.cjs'));
  const program = `const { existsSync } = require('node:fs');
    const open = () => [0, 1, 2, 77, 200].map((fd) => existsSync('/proc/self/fd/' + fd));
    const before = open();
    require(${module}).closeInherited(${ours});
    process.stderr.write('');
    console.log(JSON.stringify([before, open()]));`;
  const line = `exec 77>/dev/null 200</dev/null; exec '${process.execPath}' -e "$PROGRAM"`;
  const env = { ...process.env, PROGRAM: program };
  return JSON.parse(execFileSync('bash', ['-c', line], { encoding: 'utf8', env }));
}

test('what was left open is closed, and the three that everybody has stay', () => {
  const [before, after] = descriptors(3);
  expect(before).toEqual([true, true, true, true, true]);
  expect(after).toEqual([true, true, true, false, false]);
});

// Under Node, one above the first sixteen looks as all do under Bun.
test('what our parent opened for us stays, whatever its flags are', () => {
  expect(descriptors(78)[1]).toEqual([true, true, true, true, false]);
});
