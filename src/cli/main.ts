/**
 * The entry of the program. `--version` is answered before anything else is loaded. Everything else is
 * `thermos.cjs`, compiled from the code cache that the build left beside it: that saves 20 ms of the 32 that
 * loading it costs. V8 refuses a cache made by another version, and then compiles the source.
 */
import { readFileSync, writeSync } from 'node:fs';
import { createRequire, wrap } from 'node:module';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';

declare const THERMOS_VERSION: string;

type Program = typeof import('./dispatch.js');
type Wrapper = (exports: object, require: NodeJS.Require, module: object, file: string, dir: string) => void;

function load(file: string): Program {
  let cachedData: Buffer | undefined;
  try {
    cachedData = readFileSync(`${file}.cache`);
  } catch {
    // Built without one: slower, not different.
  }
  const script = new Script(wrap(readFileSync(file, 'latin1')), {
    filename: file,
    cachedData,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  const wrapper = script.runInThisContext() as Wrapper;
  wrapper(module.exports, createRequire(file), module, file, dirname(file));
  return module.exports as Program;
}

/** False if it can't be written: the program then says why, as for any other command. */
function printVersion(): boolean {
  try {
    writeSync(1, `thermos/${THERMOS_VERSION}\n`);
    return true;
  } catch {
    return false;
  }
}

/** A uid without a name and a HOME, as containers have it, makes os.homedir() throw, and oclif calls it on loading. */
function doWithoutHome(): void {
  try {
    os.homedir();
  } catch {
    Object.assign(os, { homedir: () => '/' });
  }
}

const argv = process.argv.slice(2);
if (!(argv.length === 1 && argv[0] === '--version' && printVersion())) {
  doWithoutHome();
  void load(join(__dirname, 'thermos.cjs')).dispatch(argv);
}
