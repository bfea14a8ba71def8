const PAGES = /[\\/]report[\\/]pages\.js$/;
const BUNDLE = './report.cjs';
const NAMESPACE = 'report-bundle';

/**
 * An esbuild plugin: what makes pages is a file of its own, which a dynamic import in `src/` loads. The other commands
 * would pay for it by a larger program to read. An import that is not dynamic is an error.
 */
export const reportBundle = {
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: PAGES }, ({ path, kind, importer }) => {
      if (kind === 'dynamic-import') return { path: BUNDLE, namespace: NAMESPACE };
      return { errors: [{ text: `${importer} must import ${path} when it is used` }] };
    });
    build.onLoad({ filter: /./, namespace: NAMESPACE }, () => ({
      contents: `module.exports = require(${JSON.stringify(BUNDLE)});`,
    }));
    build.onResolve({ filter: /./, namespace: NAMESPACE }, ({ path }) => ({ path, external: true }));
  },
};
