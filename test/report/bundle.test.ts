import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
// @ts-expect-error: no types
import { inline } from '../../scripts/build/inline.mjs';
// @ts-expect-error: no types
import { ownBundles } from '../../scripts/build/own-bundles.mjs';
import { REPOSITORY } from '../e2e/harness.js';

const PAGES = 'src/report/pages.ts';

/** Bundles without writing, and says which packages are in it. */
async function packagesIn(contents: string) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: REPOSITORY,
    stdin: {
      contents,
      resolveDir: join(REPOSITORY, 'src/cli'),
      sourcefile: 'src/cli/command.ts',
      loader: 'ts',
    },
    bundle: true,
    write: false,
    metafile: true,
    format: 'cjs',
    outdir: 'out',
    logLevel: 'silent',
    plugins: [ownBundles, inline],
  });
  const names = Object.keys(metafile.inputs).map(
    (path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1],
  );
  return {
    text: outputFiles[0]?.text as string,
    packages: [...new Set(names)].filter((name) => name !== undefined),
  };
}

describe('what makes pages', () => {
  test('is a file of its own, which the program loads when it is needed', async () => {
    const { text, packages } = await packagesIn("void import('../report/pages.js');");
    expect(text).toContain('require("./report.cjs")');
    expect(packages).toEqual([]);
  });

  test('is not loaded at the start of the program', async () => {
    const eager = packagesIn("import { taskPage } from '../report/pages.js'; taskPage();");
    await expect(eager).rejects.toThrow('must import ../report/pages.js when it is used');
  });

  test('leaves nothing of it in the program', () => {
    const program = readFileSync(join(REPOSITORY, 'dist/thermos.cjs'), 'utf8');
    expect(program).not.toMatch(/dangerouslySetInnerHTML|dagre|Content-Security-Policy/);
    const pages = readFileSync(join(REPOSITORY, 'dist/report.cjs'), 'utf8');
    expect(pages).toMatch(/dangerouslySetInnerHTML[\s\S]*Content-Security-Policy/);
  });

  test('runs in a browser', async () => {
    // A module of Node is an error here.
    const { outputFiles } = await build({
      absWorkingDir: REPOSITORY,
      entryPoints: [PAGES],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      logLevel: 'silent',
      plugins: [inline],
    });
    expect(outputFiles[0]?.text).not.toMatch(/\brequire\(|\bBuffer\b/);
  });
});
