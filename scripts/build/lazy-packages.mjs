import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const IMPORT = /^const (\w+) = ((?:tslib_1\.__importDefault\()?require\("[^"]+"\)\)?);$/gm;

/** An output stream costs 3 ms, and an error of ours is an error of the line that was written. */
const STDOUT_LISTENER = /^process\.stdout\.on\('error', [\s\S]*?^\}\);$/m;

/** Of `debug`, which loads sockets to know about colours; what never prints needs none. */
const DEBUG = `module.exports = process.env.DEBUG ? require('./node.js') : () => Object.assign(() => {}, { enabled: false });`;

/** oclif has another, without a segmenter. */
const OUR_STRING_WIDTH = fileURLToPath(import.meta.resolve('string-width'));

/** The tables behind a segmenter take 5 ms to load. */
const SEGMENTER = /^const segmenter = (new Intl\.Segmenter\(\));$/m;

/**
 * An esbuild plugin: packages do at their start only what every command needs.
 *
 * oclif's modules load all that they may ever need: plugins, TypeScript, sockets for `debug`. Here each of their
 * imports is loaded when it is used for the first time, which saves 5 ms of the 10 that our own bundle takes to
 * come up. TypeScript compiles an import to a constant, so that it is enough to make the constant a call.
 */
export const lazyPackages = {
  name: 'lazy-packages',
  setup(build) {
    build.onLoad({ filter: /@oclif[\\/]core[\\/]lib[\\/].*\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      if (/[\\/]lib[\\/]command\.js$/.test(path)) contents = replaceOnce(path, contents, STDOUT_LISTENER, '');
      return { contents: withLazyImports(contents), loader: 'js' };
    });
    build.onLoad({ filter: /node_modules[\\/]debug[\\/]src[\\/]index\.js$/ }, () => ({
      contents: DEBUG,
      loader: 'js',
    }));
    build.onLoad({ filter: /string-width[\\/]index\.js$/ }, ({ path }) => {
      if (path !== OUR_STRING_WIDTH) return undefined;
      const lazy = 'let made; const segmenter = { segment: (text) => (made ??= $1).segment(text) };';
      return { contents: replaceOnce(path, readFileSync(path, 'utf8'), SEGMENTER, lazy), loader: 'js' };
    });
  },
};

function withLazyImports(source) {
  const names = [];
  let contents = source.replace(IMPORT, (line, name, load) => {
    if (name === 'tslib_1') return line;
    names.push(name);
    return `let ${name}$loaded; const ${name}$load = () => ${name}$loaded ??= ${load};`;
  });
  for (const name of names) {
    contents = contents.replace(new RegExp(`(?<![\\w$.])${name}(?![\\w$])`, 'g'), `(${name}$load())`);
  }
  return contents;
}

/** Another version of a package may say it otherwise: the build fails then, rather than get slow. */
function replaceOnce(path, source, pattern, replacement) {
  if (!pattern.test(source)) throw new Error(`${path} has no longer what ${pattern} matches`);
  return source.replace(pattern, replacement);
}
