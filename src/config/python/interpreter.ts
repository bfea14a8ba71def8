import { createRequire } from 'node:module';
import type { PyodideAPI } from 'pyodide';
import { asciiJson } from '../../text/json.js';
import { LIMITS } from '../limits.js';
import { type Imports, wallIn } from './boundary.js';
import type { Code, Emscripten, Settings } from './code.js';
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
import type { Snapshot } from './snapshot.js';
import { setBudget } from './wasm.js';

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

/** CPython with the classes and names of configs, walled in. */
export interface Interpreter {
  /** Shows it the files of this machine and the facts. */
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
  instantiate(module: object, imports: object): Promise<Instance>;
};

interface Instance {
  readonly exports: {
    readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
    readonly _PyRuntime: { readonly value: number };
    readonly _PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET: { readonly value: number };
  };
}

const WASM_PAGE = 65536;

/** What an interpreter is started with. */
export interface Parts {
  /** Answers from the start on (the schema is asked for). */
  readonly call: Call;
  /** Gets what the config writes to stdout and stderr. */
  readonly print: Printed;
  readonly code: Code;
  /** What `compilePython` gives. */
  readonly wasm: object;
}

/** Python looks for modules there, and must not find those of a Python of this machine. */
const EMPTY_PLACES = ['/lib/python3.14/site-packages', '/lib/python3.14/lib-dynload'];

/** Starts Python in the state that the build has kept. Rejects if it cannot be read. */
export async function resumePython(parts: Parts, snapshot: Snapshot): Promise<Interpreter> {
  const { machine, trampoline } = await instantiate(parts.code, parts.wasm, snapshot.size);
  snapshot.load(machine.HEAPU8);
  trampoline.restore();
  for (const place of EMPTY_PLACES) machine.FS.mkdirTree(place);
  connect(machine.FS, parts);
  return interpreterIn(machine);
}

/** Starts Python from nothing, which takes 2 s. */
export async function startPython(parts: Parts): Promise<Interpreter> {
  return interpreterIn((await preparePython(parts)).machine);
}

/** The memory of a Python that was started from nothing, for `snapshotOf`, and that of a new instance. */
export async function memoryOfPython(parts: Parts): Promise<[prepared: Uint8Array, fresh: Uint8Array]> {
  const { machine, trampoline } = await preparePython(parts);
  trampoline.clear();
  const fresh = await instantiate(parts.code, parts.wasm, machine.HEAPU8.length);
  return [machine.HEAPU8, fresh.machine.HEAPU8];
}

interface Instantiated {
  readonly machine: Emscripten;
  readonly trampoline: Trampoline;
}

/** An instance that has not begun, with this much memory at least. */
async function instantiate(code: Code, wasm: object, bytes: number): Promise<Instantiated> {
  const { settings, instance } = settingsFor(wasm, bytes);
  const created = code.create({
    ...settings,
    noInitialRun: true,
    preRun: [],
    API: { config: {}, runtimeEnv: { IN_NODE: true } },
  });
  return { trampoline: trampolineOf(await instance), machine: await created };
}

/** With what a config needs, and without access to JavaScript any more. */
async function preparePython(parts: Parts): Promise<Instantiated> {
  const { loadPyodide } = await import('pyodide');
  const { settings, instance, close } = settingsFor(parts.wasm);
  let created: Promise<Emscripten> | undefined;
  const python = await loadPyodide({
    jsglobals: {},
    env: { HOME: '/', PYTHONHASHSEED: '0', LANG: 'C.UTF-8' },
    stdin: () => null,
    createPyodideModule: (given: Settings) => {
      created = parts.code.create(Object.assign(given, settings));
      return created;
    },
  } as object);
  const machine = (await created) as Emscripten;
  connect(machine.FS, parts);
  prepare(python);
  close();
  evaluate(machine, `__import__('_thermos').host.leave_javascript()`);
  return { machine, trampoline: trampolineOf(await instance) };
}

/** `close` blocks access to JavaScript; with a size of the memory, there is none from the start on. */
function settingsFor(
  wasm: object,
  bytes?: number,
): { settings: Settings; instance: Promise<Instance>; close: () => void } {
  let close = (): void => {};
  const { promise: instance, resolve, reject } = withResolvers<Instance>();
  const instantiateWasm: Settings['instantiateWasm'] = (imports, done) => {
    close = wallIn(imports.env);
    markErrors(imports.env);
    if (bytes !== undefined) close();
    setBudget('all');
    WebAssembly.instantiate(wasm, imports)
      .then((made) => {
        setBudget('start');
        const { memory } = made.exports;
        const missing = (bytes ?? 0) - memory.buffer.byteLength;
        if (missing > 0) memory.grow(Math.ceil(missing / WASM_PAGE));
        done(made, wasm);
        resolve(made);
      })
      .catch(reject);
    return {};
  };
  return { settings: { instantiateWasm }, instance, close: () => close() };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((...functions) => {
    [resolve, reject] = functions;
  });
  return { promise, resolve, reject };
}

/**
 * How Python calls C functions: code that V8 can run or not, depending on its version, or 0 for the slow way. Its
 * value is that of this start, never that of a snapshot, which has 0 so that any Node can start from it.
 */
interface Trampoline {
  clear(): void;
  /** Writes the value that this start has found. */
  restore(): void;
}

function trampolineOf({ exports }: Instance): Trampoline {
  const memory = (): DataView => new DataView(exports.memory.buffer);
  const offset = memory().getInt32(exports._PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET.value, true);
  const address = exports._PyRuntime.value + offset;
  const own = memory().getInt32(address, true);
  return {
    clear: () => memory().setInt32(address, 0, true),
    restore: () => memory().setInt32(address, own, true),
  };
}

function interpreterIn(machine: Emscripten): Interpreter {
  return {
    enter: (facts) => {
      // It would print the place in the interpreter.
      machine.API.fatal_error = (error) => {
        throw error;
      };
      showHostFiles(machine.FS, machine.ERRNO_CODES, libraryPath());
      evaluate(machine, `__import__('_thermos').host.start(${literal(facts)})`);
    },
    execute: (program) => evaluate(machine, `__import__('_thermos').execute.execute(${literal(program)})`),
  };
}

/** Python's standard library. */
function libraryPath(): string {
  return createRequire(__filename).resolve('pyodide/python_stdlib.zip');
}

/** As Python's C interface has it. */
const EXPRESSION = 258;

/** The text that a Python expression gives, if it is one. Throws the exception that leaves it. */
function evaluate(machine: Emscripten, expression: string): string {
  const globals = machine._PyModule_GetDict(withText(machine, '__main__', machine._PyImport_AddModule));
  const value = withText(machine, expression, (text) =>
    machine._PyRun_StringFlags(text, EXPRESSION, globals, globals, 0),
  );
  if (value !== 0) return textOf(machine, value);
  const error = machine._PyObject_Repr(machine._PyErr_GetRaisedException());
  throw new Error((error !== 0 && textOf(machine, error)) || 'an exception without a text');
}

/** Calls a function with the address of a text that ends with a zero. */
function withText<T>(machine: Emscripten, text: string, use: (address: number) => T): T {
  const bytes = new TextEncoder().encode(text);
  const address = machine._malloc(bytes.length + 1);
  if (address === 0) throw new Error('MemoryError');
  try {
    machine.HEAPU8.set(bytes, address);
    machine.HEAPU8[address + bytes.length] = 0;
    return use(address);
  } finally {
    machine._free(address);
  }
}

/** Empty if the object is no text. */
function textOf(machine: Emscripten, value: number): string {
  const address = machine._PyUnicode_AsUTF8(value) >>> 0;
  if (address === 0) {
    // An exception that is left would be found by the next call.
    machine._PyErr_GetRaisedException();
    return '';
  }
  const { HEAPU8: memory } = machine;
  return new TextDecoder().decode(memory.subarray(address, memory.indexOf(0, address)));
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
      `del _thermos, module, types`,
  );
}

/** JSON as a Python literal: a JSON string is a Python string, once it is ASCII. */
function literal(value: unknown, twice = true): string {
  return asciiJson(twice ? JSON.stringify(value) : value);
}

/** More than the length of any operation's name. */
const OPERATION_BYTES = 100;

/** Connects Python's standard streams, and the door. */
function connect(fs: EmscriptenFs, { call, print }: Pick<Parts, 'call' | 'print'>): void {
  const [output, errors] = [print.stream(), print.stream()];
  const streams = {
    stdin: { read: () => 0 },
    stdout: { write: writerTo(output) },
    stderr: { write: writerTo(errors) },
  };
  for (const [minor, [name, operations]] of Object.entries(streams).entries()) {
    const device = fs.makedev(98, minor);
    fs.registerDevice(device, operations);
    fs.unlink(`/dev/${name}`);
    fs.mkdev(`/dev/${name}`, 0o666, device);
    fs.closeStream(minor);
    fs.open(`/dev/${name}`, minor === 0 ? 0 : 1);
  }
  installDoor(fs, call);
}

type StreamWrite = (stream: unknown, memory: Int8Array, offset: number, length: number) => number;

function writerTo(print: (bytes: Uint8Array) => number): StreamWrite {
  return (_, memory, offset, length) => print(new Uint8Array(memory.buffer, offset, length));
}

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
