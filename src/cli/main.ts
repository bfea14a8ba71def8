/**
 * The entry of the program. It answers `--version` before anything else is loaded. Everything else is in
 * `thermos.cjs`, compiled from a code cache if there is one: that saves 20 ms of the 32 that loading it takes.
 */
import '../runner/no-debugger.js';
import { closeSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { constants } from 'node:vm';
import { compileCached, ownCacheDirectory } from '../host/code-cache.js';
import { ignoredSignals } from '../host/ignored-signals.js';
import type { Dispatcher } from './dispatch.js';

declare const THERMOS_VERSION: string;

type Wrapper = (exports: object, require: NodeJS.Require, module: object, file: string, dir: string) => void;

/** The major number of /dev/null, which is not a terminal, but a character device as terminals are. */
const MEMORY_DEVICES = 1;

/** How the path of a Node begins that runs from memory, as that of the one file may. No other process finds it by that. */
const IN_MEMORY = '/memfd:';

/** The last line of the build: a hash of everything before it. */
const HASH = /\/\/ ([0-9a-f]{64})\n$/;

/**
 * What the code cache is named after, and its command if it is of only one. V8 reads a cache as a whole, and commands have
 * different functions: with those of all commands, `status` starts 5 percent slower.
 */
function useOf(argv: readonly string[]): { name: string; only?: string } {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  const only = words.includes('--help') || words.includes('-h') ? 'help' : (words[0] ?? '');
  return /^[a-z_][a-z_-]*$/.test(only) ? { name: `thermos-${only}`, only } : { name: 'thermos' };
}

function load(file: string, argv: readonly string[]): Dispatcher {
  const { code, size, mtimeMs } = readProgram(file);
  const [, hash = 'unknown'] = HASH.exec(code.slice(-100)) ?? [];
  const { name, only } = useOf(argv);
  const source = {
    name,
    like: 'thermos-status',
    id: `${hash}.${size}.${mtimeMs}`,
    code,
    options: { filename: file, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER },
  };
  const own = ownCacheDirectory(process.env);
  const { script, keep } = compileCached(source, { own, built: join(dirname(file), 'cache') });
  const module = { exports: {} };
  const wrapper = script.runInThisContext() as Wrapper;
  wrapper(module.exports, require, module, file, dirname(file));
  const program = module.exports as Dispatcher;
  // Which functions are compiled depends on the command, the output format and the outcome.
  process.on('exit', (exitCode) => {
    const command = program.commandOf(argv);
    if (command !== undefined && (only ?? command) === command)
      keep(`${command} ${argv.includes('--json') ? 'json' : 'text'} ${exitCode}`);
  });
  return program;
}

function readProgram(file: string): { code: string; size: number; mtimeMs: number } {
  const fd = openSync(file, 'r');
  try {
    const { size, mtimeMs } = fstatSync(fd);
    return { code: readFileSync(fd, 'latin1'), size, mtimeMs };
  } finally {
    closeSync(fd);
  }
}

/** False if it cannot be written: the program then reports why, as for any other command. */
function printVersion(): boolean {
  try {
    writeSync(1, `thermos/${THERMOS_VERSION}\n`);
    return true;
  } catch {
    return false;
  }
}

/** os.homedir() throws for a uid without name and HOME, as in containers, and oclif calls it when it is loaded. */
function doWithoutHome(): void {
  try {
    os.homedir();
  } catch {
    Object.assign(os, { homedir: () => '/' });
  }
}

/**
 * At its exit, Node gives terminals the settings that they had, and aborts if one of them is gone. It leaves out a
 * descriptor that is closed.
 */
function closeLostTerminals(): void {
  for (const fd of [0, 1, 2]) {
    try {
      const stat = fstatSync(fd);
      if (!stat.isCharacterDevice() || stat.rdev >> 8 === MEMORY_DEVICES) continue;
      // Loading it takes time, and whatever shows something on a terminal has loaded it.
      if (!process.getBuiltinModule('node:tty').isatty(fd)) closeSync(fd);
    } catch {
      // It is closed.
    }
  }
}

function run(argv: readonly string[]): void {
  process.on('exit', closeLostTerminals);
  for (const signal of ignoredSignals(process.env)) process.on(signal, () => {});
  doWithoutHome();
  const program = load(join(__dirname, 'thermos.cjs'), argv);
  if (process.execPath.startsWith(IN_MEMORY)) process.execPath = '/proc/self/exe';
  void program.dispatch(argv);
}

/** The first process of a container should be an init; elsewhere the environment may ask for one. */
async function runInContainer(argv: readonly string[]): Promise<void> {
  const { runBelowInit } = await import('./init.js');
  if (!(await runBelowInit(argv))) run(argv);
}

const argv = process.argv.slice(2);
if (!(argv.length === 1 && argv[0] === '--version' && printVersion())) {
  if (process.pid === 1 || process.env.THERMOS_INIT) void runInContainer(argv);
  else run(argv);
}
