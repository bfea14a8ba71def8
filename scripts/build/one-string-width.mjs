import { fileURLToPath } from 'node:url';

const WIDTH = fileURLToPath(new URL('../../src/text/width.ts', import.meta.url));

/**
 * An esbuild plugin: all packages measure text like our views.
 *
 * cli-table3 and oclif bring string-width 4, which counts many combining marks and newer emoji differently from the
 * string-width 7 of our columns: tables would be misaligned. Loading one copy is also enough (ora brings another), and
 * ours does not measure ASCII character by character, which makes a table three times as fast.
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
