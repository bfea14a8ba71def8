import { readFileSync } from 'node:fs';

/**
 * Modules that oclif imports at its start and our commands never use: plugins and their discovery, oclif's own
 * output and help, templates, sockets for `debug`, TypeScript. By the importing module.
 */
const LEFT_OUT = {
  'command.js': ['./config', './help/util', './ux'],
  'flags.js': ['./help'],
  'logger.js': ['debug'],
  'parser/index.js': ['./help'],
  'parser/parse.js': ['node:readline'],
  'parser/errors.js': ['../ux/theme', '../ux/list'],
  'util/fs.js': ['node:fs/promises'],
  'errors/index.js': ['./handle'],
  'errors/error.js': ['./errors/pretty-print'],
  'errors/warn.js': ['./errors/pretty-print'],
  'errors/errors/cli.js': ['clean-stack', 'indent-string', 'wrap-ansi', '../../screen', '../../ux/theme'],
};

const IN_OCLIF = /[\\/]@oclif[\\/]core[\\/]lib[\\/](.*)$/;

/** A use in spite of the above throws an error, which the tests see. */
const stub = (name) => `
const used = (part) => { throw new Error(\`\${String(part)} of ${name} is left out of the bundle, see oclif-parts.mjs\`); };
module.exports = new Proxy({}, { get: (_, part) => part === '__esModule' || used(part) });`;

/**
 * Three modules are used a little: the logger, which prints nothing, the colours of messages, which have none here, and
 * lists in messages that we word ourselves: oclif's ask for the width of the terminal, for which Node loads its streams.
 */
const INSTEAD = {
  'logger.js debug': 'module.exports = () => Object.assign(() => {}, { enabled: false });',
  'parser/errors.js ../ux/theme': 'exports.colorize = (colour, text) => text;',
  'parser/errors.js ../ux/list': "module.exports = (rows) => rows.map((row) => row.join(' ')).join('\\n');",
};

/**
 * oclif accesses process.stdout at its start, which makes Node set a pipe non-blocking for all its writers, such as
 * the processes of a task that log to the console. Our own writes throw their errors at once.
 */
const STDOUT_LISTENER = /^process\.stdout\.on\('error', [\s\S]*?^\}\);$/m;

/**
 * An esbuild plugin: oclif without its unused parts. With them, `status` of ten tasks takes 1.19 times as
 * much CPU (Node 20). The build fails if oclif no longer imports the modules named here.
 */
export const oclifParts = {
  name: 'oclif-parts',
  setup(build) {
    const found = new Set();
    build.onResolve({ filter: /./ }, ({ path, importer }) => {
      const [, module] = IN_OCLIF.exec(importer) ?? [];
      if (module === undefined || !LEFT_OUT[module]?.includes(path)) return undefined;
      found.add(`${module} ${path}`);
      return { path: `${module} ${path}`, namespace: 'left-out' };
    });
    build.onLoad({ filter: /./, namespace: 'left-out' }, ({ path }) => ({
      contents: INSTEAD[path] ?? stub(path),
    }));
    build.onLoad({ filter: /@oclif[\\/]core[\\/]lib[\\/]command\.js$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8');
      if (!STDOUT_LISTENER.test(contents))
        throw new Error(`${path} has no longer what ${STDOUT_LISTENER} matches`);
      return { contents: contents.replace(STDOUT_LISTENER, '') };
    });
    build.onEnd(() => {
      // Most of the built programs contain nothing of oclif.
      if (found.size === 0) return undefined;
      const named = Object.entries(LEFT_OUT).flatMap(([module, paths]) =>
        paths.map((path) => `${module} ${path}`),
      );
      const missing = named.filter((each) => !found.has(each));
      return {
        errors: missing.map((each) => ({ text: `oclif has changed: no longer imported is ${each}` })),
      };
    });
  },
};
