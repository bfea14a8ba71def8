/** What is a file of its own: the module that is its entry, by the name of the file. */
const BUNDLES = {
  './report.cjs': /[\\/]report[\\/]pages\.js$/,
  './agent.cjs': /[\\/]agent[\\/]client\.js$/,
};
const NAMESPACE = 'own-bundle';

/**
 * An esbuild plugin: what makes pages, and what asks agents over HTTP, are files of their own, which a dynamic import in
 * `src/` loads. The other commands would pay for them by a larger program to read. An import that is not dynamic is an
 * error.
 */
export const ownBundles = {
  name: NAMESPACE,
  setup(build) {
    for (const [bundle, entry] of Object.entries(BUNDLES)) {
      build.onResolve({ filter: entry }, ({ path, kind, importer }) => {
        if (kind === 'dynamic-import') return { path: bundle, namespace: NAMESPACE };
        return { errors: [{ text: `${importer} must import ${path} when it is used` }] };
      });
    }
    build.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
    build.onResolve({ filter: /./, namespace: NAMESPACE }, ({ path }) => ({ path, external: true }));
  },
};
