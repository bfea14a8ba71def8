/**
 * Runs command lines with the built program one after the other, each with a fresh instance of `dist/thermos.cjs`, as its
 * entry does: most of what a start costs is Node's. A command is over when nothing is left that its process would wait
 * for. fd 3 has the requests, a line each, fd 4 gets the answers; stdout and stderr are those of the commands.
 */
const { closeSync, readFileSync, readdirSync, readlinkSync, readSync, writeSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { constants, Script } = require('node:vm');
const threads = require('node:worker_threads');

const [REQUESTS, ANSWERS] = [3, 4];
const file = process.argv[2];
const script = new Script(readFileSync(file, 'latin1'), {
  filename: file,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const exit = process.reallyExit.bind(process);
const workers = new Set();
threads.Worker = class extends threads.Worker {
  constructor(...args) {
    super(...args);
    workers.add(this);
    this.once('exit', () => workers.delete(this));
  }
};
let isRunning = false;

function request() {
  const parts = [];
  for (const byte = Buffer.alloc(1 << 16); parts.at(-1)?.at(-1) !== 0x0a; ) {
    const length = readSync(REQUESTS, byte);
    // Who asks has ended.
    if (length === 0) exit(0);
    parts.push(Buffer.from(byte.subarray(0, length)));
  }
  return JSON.parse(Buffer.concat(parts).toString());
}

/** What a process loses when it ends, besides its threads: its listeners, what it loaded, the files that it has open. */
function state() {
  return {
    listeners: new Map(process.eventNames().map((name) => [name, process.rawListeners(name)])),
    modules: new Set(Object.keys(require.cache)),
    files: new Set(openFiles()),
  };
}

/** Not those of Node itself, which are no paths. */
function openFiles() {
  const isPath = (fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('/');
    } catch {
      return false;
    }
  };
  return readdirSync('/proc/self/fd').map(Number).filter(isPath);
}

let before = state();

/** Leaves what a process leaves when it ends. Its threads end first: they close the files that they have open. */
async function leave(code) {
  const isNew = (name) => (listener) => !before.listeners.get(name)?.includes(listener);
  for (const listener of process.rawListeners('exit').filter(isNew('exit'))) listener.call(process, code);
  for (const name of process.eventNames()) {
    for (const listener of process.rawListeners(name).filter(isNew(name)))
      process.removeListener(name, listener);
  }
  for (const path of Object.keys(require.cache)) if (!before.modules.has(path)) delete require.cache[path];
  await Promise.all([...workers].map((worker) => worker.terminate()));
  for (const fd of openFiles()) if (!before.files.has(fd)) closeSync(fd);
}

function answer(status, isLast) {
  writeSync(ANSWERS, `${JSON.stringify({ status, isLast })}\n`);
}

// The next request starts another process.
process.exit = (code = process.exitCode) => {
  process.exitCode = Number(code ?? 0);
  for (const listener of process.rawListeners('exit')) listener.call(process, process.exitCode);
  answer(process.exitCode, true);
  exit(0);
};

function begin({ argv, env, cwd }) {
  before = state();
  isRunning = true;
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.umask(0o022);
  process.chdir(cwd);
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...argv);
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  module.exports.dispatch(argv);
}

async function turn() {
  if (isRunning) {
    isRunning = false;
    const code = process.exitCode ?? 0;
    await leave(code);
    answer(process.exitCode ?? code, false);
    process.exitCode = undefined;
  }
  begin(request());
  // Without anything to wait for, Node would end.
  setImmediate(() => {});
}

let isTurning = false;
process.on('beforeExit', () => {
  if (isTurning) return;
  isTurning = true;
  void turn().then(() => {
    isTurning = false;
  });
});
