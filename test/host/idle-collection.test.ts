import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { REPOSITORY, tempDir } from '../e2e/harness.js';

test('V8 knows the flag, and at the end has the flags that it started with', async () => {
  const temp = tempDir();
  const file = join(temp.path, 'program.cjs');
  await build({
    stdin: {
      contents: `
        import { cachedDataVersionTag } from 'node:v8';
        import { collectOnceWhenIdle } from './src/host/idle-collection.js';
        const tags = [cachedDataVersionTag()];
        process.on('exit', () => {
          tags.push(cachedDataVersionTag());
          console.log(JSON.stringify([tags[0] !== tags[1], tags[0] === tags[2]]));
        });
        collectOnceWhenIdle();
        tags.push(cachedDataVersionTag());`,
      resolveDir: REPOSITORY,
      loader: 'ts',
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  temp.remove();
  expect({ status, stderr, flags: JSON.parse(stdout) }).toEqual({
    status: 0,
    stderr: '',
    flags: [true, true],
  });
});
