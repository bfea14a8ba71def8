import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');

export const INLINE = /\?inline$/;

/** What the inlined modules are made of: outputs as in a metafile of esbuild, by the path of their entries. */
export const inlinedOutputs = {};

/**
 * What `import { text, hash } from './page.css?inline'` imports: a style sheet, or the program that a `.ts` file is the
 * entry of, bundled and minified for browsers, and its hash as a Content-Security-Policy has it.
 */
export async function inlineModule(path) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [path],
    metafile: true,
    bundle: true,
    write: false,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: ['chrome110', 'firefox115', 'safari16'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  inlinedOutputs[path] = Object.values(metafile.outputs)[0];
  const text = outputFiles[0].text.trim();
  const hash = `sha256-${createHash('sha256').update(text).digest('base64')}`;
  return `export const text = ${JSON.stringify(text)}, hash = ${JSON.stringify(hash)};`;
}

/** The plugin for esbuild; test/inline-plugin.ts is the one for vitest. */
export const inline = {
  name: 'inline',
  setup(build) {
    build.onResolve({ filter: INLINE }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace(INLINE, '')),
      namespace: 'inline',
    }));
    build.onLoad({ filter: /./, namespace: 'inline' }, async ({ path }) => ({
      contents: await inlineModule(path),
      watchFiles: [path],
    }));
  },
};
