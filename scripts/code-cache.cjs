// code-cache.cjs BUNDLE COMMAND...: writes BUNDLE.cache, V8's code cache of the bundle, taken after running the
// commands (each the arguments as JSON), so that it holds the functions which they really use. Must wrap the source exactly as src/cli/main.ts does.
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire, wrap } = require('node:module');
const { dirname } = require('node:path');
const { constants, Script } = require('node:vm');

const [file, ...commands] = process.argv.slice(2);
const script = new Script(wrap(readFileSync(file, 'latin1')), {
  filename: file,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const module_ = { exports: {} };
script.runInThisContext()(module_.exports, createRequire(file), module_, file, dirname(file));

async function run() {
  for (const command of commands) await module_.exports.dispatch(JSON.parse(command));
  writeFileSync(`${file}.cache`, script.createCachedData());
}

run();
