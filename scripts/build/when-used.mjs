import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The functions that we call, by package. */
const FUNCTIONS = { 'fast-glob': ['sync'] };

const NAMESPACE = 'when-used';

/**
 * An esbuild plugin: these packages are loaded by the first call of one of their functions. A dynamic import would do
 * the same, but only in asynchronous code.
 */
export const whenUsed = {
  name: NAMESPACE,
  setup(build) {
    const names = new RegExp(`^(?:${Object.keys(FUNCTIONS).join('|')})$`);
    build.onResolve({ filter: names }, ({ kind, path }) =>
      kind === 'import-statement' ? { path, namespace: NAMESPACE } : undefined,
    );
    build.onLoad({ filter: names, namespace: NAMESPACE }, ({ path }) => ({
      contents: `export default { ${FUNCTIONS[path].map((name) => caller(path, name)).join(', ')} };`,
      resolveDir: dirname(fileURLToPath(import.meta.url)),
      loader: 'js',
    }));
  },
};

function caller(path, name) {
  return `${name}: (...words) => require(${JSON.stringify(path)}).${name}(...words)`;
}
