// Writes dist/thermos.cjs.cache: V8's code cache of the bundle, taken after a run of `status`, so that it
// holds the functions which a command really uses. Must wrap the source exactly as src/cli/main.ts does.
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire, wrap } = require('node:module');
const { dirname, join } = require('node:path');
const { constants, Script } = require('node:vm');

const file = join(__dirname, '..', 'dist', 'thermos.cjs');
const script = new Script(wrap(readFileSync(file, 'utf8')), {
  filename: file,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const module_ = { exports: {} };
script.runInThisContext()(module_.exports, createRequire(file), module_, file, dirname(file));
module_.exports.dispatch(process.argv.slice(2)).then(() => {
  writeFileSync(`${file}.cache`, script.createCachedData());
});
