// code-cache.cjs BUNDLE ARGUMENT...: writes BUNDLE.cache, V8's code cache of the bundle, taken after a run with
// the arguments, so that it holds the functions which a command really uses. Must wrap the source exactly as src/cli/main.ts does.
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire, wrap } = require('node:module');
const { dirname } = require('node:path');
const { constants, Script } = require('node:vm');

const [file, ...argv] = process.argv.slice(2);
const script = new Script(wrap(readFileSync(file, 'utf8')), {
  filename: file,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const module_ = { exports: {} };
script.runInThisContext()(module_.exports, createRequire(file), module_, file, dirname(file));
module_.exports.dispatch(argv).then(() => {
  writeFileSync(`${file}.cache`, script.createCachedData());
});
