import { readFileSync } from 'node:fs';

const IMPORT = /^const (\w+) = ((?:tslib_1\.__importDefault\()?require\("[^"]+"\)\)?);$/gm;

/**
 * An esbuild plugin. oclif's modules load all that they may ever need at their start: plugins, TypeScript,
 * sockets for `debug`. Here each of their imports is loaded when it is used for the first time, which saves
 * 5 ms of the 10 that our own bundle takes to come up. TypeScript compiles an import to a constant, so that
 * it is enough to make the constant a call.
 */
export const lazyOclif = {
  name: 'lazy-oclif',
  setup(build) {
    build.onLoad({ filter: /@oclif[\\/]core[\\/]lib[\\/].*\.js$/ }, ({ path }) => {
      const names = [];
      let contents = readFileSync(path, 'utf8').replace(IMPORT, (line, name, load) => {
        if (name === 'tslib_1') return line;
        names.push(name);
        return `let ${name}$loaded; const ${name}$load = () => ${name}$loaded ??= ${load};`;
      });
      for (const name of names) {
        contents = contents.replace(new RegExp(`(?<![\\w$.])${name}(?![\\w$])`, 'g'), `(${name}$load())`);
      }
      return { contents, loader: 'js' };
    });
  },
};
