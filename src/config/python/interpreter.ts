import { readFile } from 'node:fs/promises';
import { loadPyodide, type PyodideAPI } from 'pyodide';
import type { CachePlaces } from '../../host/code-cache.js';
import { LIMITS } from '../limits.js';
import { type Imports, wallIn } from './boundary.js';
import { loadCode, type Settings } from './code.js';
import { type EmscriptenFs, showHostFiles } from './host-files.js';
import door from './prelude/door.py';
import execute from './prelude/execute.py';
import host from './prelude/host.py';
import names from './prelude/names.py';
import python2 from './prelude/python2.py';
import syntax from './prelude/syntax.py';
import translate from './prelude/translate.py';
import types from './prelude/types.py';
import type { Printed } from './printed.js';

/** Answers one operation of a session: its name and JSON in, JSON out. */
export type Call = (operation: string, args: string) => string;

/** What Python sees of the machine and of the caller. */
export interface InterpreterHost {
  environment: Readonly<Record<string, string>>;
  cwd: string;
  uid: number;
  gid: number;
  pid: number;
  hostname: string;
}

/** A program as Python gets it; `source` is base64. */
export interface PythonProgram {
  path: string;
  dialect: string;
  source: string;
}

/** CPython with the classes and names of configs, not yet walled in. */
export interface Interpreter {
  /** The memory to start from next time; only with `makeSnapshot`. */
  snapshot(): Uint8Array;
  /** Keeps pyodide's code as compiled by now for the next start. */
  keepCode(): void;
  /** Shows the machine's files and blocks access to JavaScript for good. */
  enter(host: InterpreterHost): void;
  /** JSON of what failed, or `null`. */
  execute(program: PythonProgram): string;
}

/** In the order in which they need each other. */
const PRELUDE = { door, types, names, python2, translate, syntax, host, execute };

/** Imported beforehand: nearly every config needs some of them, and in a snapshot they cost nothing. */
const STANDARD_MODULES =
  'base64 collections copy datetime functools getpass glob hashlib itertools json math operator os posixpath re socket string subprocess textwrap time';

/** The part of WebAssembly's interface that is used here; Node has it, its types do not. */
declare const WebAssembly: {
  instantiate(module: object, imports: object): Promise<object>;
};

/** What pyodide has, but its types do not show. */
interface Inner {
  ERRNO_CODES: Readonly<Record<string, number>>;
  makeMemorySnapshot(): Uint8Array;
  _api: { fatal_error(error: unknown): never };
}

/**
 * Starts Python: in 0.2 s from a snapshot, else in 2 s. `call` is used from the start on (for the schema). `print`
 * gets what the config writes to stdout and stderr.
 */
export async function startInterpreter(options: {
  call: Call;
  print: Printed;
  /** What `compilePython` gives. */
  wasm: Promise<object>;
  /** A file made by the build: the memory to start from. */
  snapshot?: string;
  /** Where pyodide's code is kept compiled. */
  caches: CachePlaces;
  makeSnapshot?: boolean;
}): Promise<Interpreter> {
  // Node reads it in another thread.
  const memory = options.snapshot === undefined ? undefined : readFile(options.snapshot);
  memory?.catch(() => {}); // pyodide asks for it later, and fails then.
  // Its compilation sets V8's flags for a while, and they are part of a cache's key.
  await options.wasm;
  const code = loadCode(options.caches);
  let trampoline: Pointer | undefined;
  let ownTrampoline = 0;
  let close = (): void => {};
  const python = await loadPyodide({
    jsglobals: {},
    env: { HOME: '/', PYTHONHASHSEED: '0', LANG: 'C.UTF-8' },
    stdin: () => null,
    _loadSnapshot: memory,
    _makeSnapshot: options.makeSnapshot,
    createPyodideModule: (settings: Settings) => {
      return new Promise((resolve, reject) => {
        settings.instantiateWasm = (imports, done) => {
          close = wallIn(imports.env);
          markErrors(imports.env);
          options.wasm
            .then(async (module) => {
              const instance = await WebAssembly.instantiate(module, imports);
              trampoline = trampolineOf(instance as Instance);
              done(instance, module);
            })
            .catch(reject);
          return {};
        };
        code.create(settings).then((module) => {
          ownTrampoline = trampoline?.get() ?? 0;
          resolve(module);
        }, reject);
      });
    },
  } as object);
  trampoline?.set(ownTrampoline);
  const fs = python.FS as unknown as EmscriptenFs;
  installDoor(fs, options.call);
  python.setStdout({ write: options.print.stream() });
  python.setStderr({ write: options.print.stream() });
  if (options.snapshot === undefined) prepare(python);
  python.runPython('from _thermos import door; door.open_door()');

  return {
    snapshot: () => {
      trampoline?.set(0);
      return (python as unknown as Inner).makeMemorySnapshot();
    },
    keepCode: () => code.keep(),
    enter: (facts) => {
      // It would print the place in the interpreter.
      (python as unknown as Inner)._api.fatal_error = (error) => {
        throw error;
      };
      showHostFiles(fs, (python as unknown as Inner).ERRNO_CODES);
      python.runPython(`import json; from _thermos import host; host.start(json.loads(${literal(facts)}))`);
      close();
    },
    execute: (program) =>
      python.runPython(`from _thermos import execute; execute.execute(${literal(program)})`) as string,
  };
}

/** A number in Python's memory. */
interface Pointer {
  get(): number;
  set(value: number): void;
}

interface Instance {
  exports: Record<
    'memory' | '_PyRuntime' | '_PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET',
    { buffer: ArrayBuffer; value: number }
  >;
}

/**
 * How Python calls C functions: code that V8 can run or not, depending on its version, or 0 for the slow way. Its
 * value is that of this start, never that of a snapshot, which has 0 so that any Node can start from it.
 */
function trampolineOf({ exports }: Instance): Pointer {
  const memory = (): DataView => new DataView(exports.memory.buffer);
  const offset = memory().getInt32(exports._PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET.value, true);
  const address = exports._PyRuntime.value + offset;
  return {
    get: () => memory().getInt32(address, true),
    set: (value) => memory().setInt32(address, value, true),
  };
}

/** How pyodide's code signals that a function of JavaScript has failed. */
function markErrors(imports: Imports): void {
  const failed = Symbol('failed');
  imports.Jsv_GetError_import = () => failed;
  imports.JsvError_Check = (value: unknown) => value === failed;
}

/** Makes the prelude's modules, in a package of their own, and the namespaces. */
function prepare(python: PyodideAPI): void {
  python.runPython(`import sys, types\nimport ${STANDARD_MODULES.replaceAll(' ', ', ')}`);
  python.runPython(`_thermos = sys.modules['_thermos'] = types.ModuleType('_thermos')`);
  for (const [name, source] of Object.entries(PRELUDE)) {
    python.runPython(
      `module = sys.modules['_thermos.${name}'] = _thermos.${name} = types.ModuleType('_thermos.${name}')\n` +
        `exec(compile(${literal(source, false)}, '<${name}.py of thermos>', 'exec'), module.__dict__)`,
    );
  }
  python.runPython(
    `_thermos.door.open_door()\n_thermos.names.install()\n_thermos.python2.restore()\n_thermos.host.prepare()\n` +
      `del _thermos, module, types\nimport gc; gc.collect()`,
  );
}

/** JSON as a Python literal: a JSON string is a Python string, once it is ASCII. */
function literal(value: unknown, twice = true): string {
  const text = JSON.stringify(twice ? JSON.stringify(value) : value);
  return text.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** More than the length of any operation's name. */
const OPERATION_BYTES = 100;

/** The device file that Python writes its calls to and reads the answers from. */
function installDoor(fs: EmscriptenFs, call: Call): void {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let answer = new Uint8Array();
  const device = fs.makedev(99, 0);
  fs.registerDevice(device, {
    write(_stream: unknown, memory: Int8Array, offset: number, length: number) {
      // The other side refuses what is too long, and only needs to see that it is.
      const most = Math.min(length, LIMITS.call.most + OPERATION_BYTES);
      const request = decoder.decode(new Uint8Array(memory.buffer, offset, most));
      const end = request.indexOf('\n');
      answer = encoder.encode(call(request.slice(0, Math.max(end, 0)), request.slice(end + 1)));
      return length;
    },
    read(_stream: unknown, memory: Int8Array, offset: number, length: number) {
      const part = answer.subarray(0, length);
      new Uint8Array(memory.buffer, offset).set(part);
      answer = answer.subarray(part.length);
      return part.length;
    },
  });
  fs.mkdev('/dev/thermos', 0o600, device);
}
