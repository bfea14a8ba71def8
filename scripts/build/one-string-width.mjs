import { fileURLToPath } from 'node:url';

const WIDTH = fileURLToPath(new URL('../../src/text/width.ts', import.meta.url));

/**
 * An esbuild plugin: all packages measure text as we do.
 *
 * cli-table3 and oclif bring string-width 4, which counts many combining marks and newer emoji otherwise than the
 * string-width 7 that our columns are measured by: they would be drawn askew. One is also enough to load (ora brings
 * another), and ours does not measure ASCII character by character, which makes a table three times as quick.
 */
export const oneStringWidth = {
  name: 'one-string-width',
  setup(build) {
    build.onResolve({ filter: /^string-width$/ }, ({ kind, importer }) =>
      importer === WIDTH ? undefined : { path: kind, namespace: 'our-width' },
    );
    build.onLoad({ filter: /.*/, namespace: 'our-width' }, ({ path: kind }) => {
      const width = JSON.stringify(WIDTH);
      const contents =
        kind === 'require-call'
          ? `module.exports = require(${width}).widthOf;`
          : `export { widthOf as default } from ${width};`;
      return { contents, resolveDir: '.' };
    });
  },
};
