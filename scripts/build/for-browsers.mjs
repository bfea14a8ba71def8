import { fileURLToPath } from 'node:url';
import { inline } from './inline.mjs';

const STAND_INS = new URL('../../src/report/viewer/stand-ins/', import.meta.url);
const fileOf = (name) => fileURLToPath(new URL(name, STAND_INS));

/** What stands for the modules of Node in a browser: the little that our own code uses of them there. */
const MODULES = { 'node:buffer': fileOf('buffer.ts'), 'node:path': fileOf('path.ts') };

const OURS = Symbol('ours');

/** An esbuild plugin. Other modules of Node may only be imported by code that is left out. */
const standIns = {
  name: 'stand-ins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path }) =>
      MODULES[path] === undefined
        ? { path, external: true, sideEffects: false }
        : { path: MODULES[path], sideEffects: false },
    );
    // Our modules do nothing when they are loaded, except entries: those of which nothing is used are left out.
    build.onResolve({ filter: /^\.\.?\// }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === OURS) return undefined;
      const resolved = await build.resolve(path, { ...rest, pluginData: OURS });
      const isOurs = resolved.namespace === 'file' && !/\/node_modules\/|\/main\.ts$/.test(resolved.path);
      return isOurs ? { ...resolved, sideEffects: false } : resolved;
    });
  },
};

/**
 * The settings for a program that runs in a browser, without anything of Node.
 * @satisfies {import('esbuild').BuildOptions}
 */
export const forBrowsers = {
  bundle: true,
  platform: 'browser',
  format: 'iife',
  target: ['chrome110', 'firefox115', 'safari16'],
  minify: true,
  // Whatever the encoding of the page: it is the one thing that could go wrong.
  charset: 'ascii',
  legalComments: 'none',
  // Its user is not root.
  define: { 'process.geteuid': 'undefined' },
  inject: [MODULES['node:buffer']],
  plugins: [inline, standIns],
  write: false,
  metafile: true,
  logLevel: 'warning',
};

/** Throws if a bundle would need a module of Node. */
export function checkForBrowsers({ outputs }) {
  const needed = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  if (needed.length > 0) throw new Error(`a browser has no ${needed.join(', ')}`);
}
