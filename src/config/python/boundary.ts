import { LIMITS } from '../limits.js';

/** The functions that WebAssembly code can call, by name. */
export type Imports = Record<string, (...args: never[]) => unknown>;

/** The part of WebAssembly's interface that is used here; Node has it, its types don't. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: Imports };
};

/** EPERM and ENOSYS as Emscripten numbers them. */
const EPERM = 63;
const ENOSYS = 52;

const SOCKETS = [
  'socket',
  'bind',
  'connect',
  'listen',
  'accept4',
  'getpeername',
  'getsockname',
  'getsockopt',
  'recvfrom',
  'recvmsg',
  'sendmsg',
  'sendto',
].map((name) => `__syscall_${name}`);

/** What is written into a pipe would be in our memory, not in Python's. */
const PIPES = ['__syscall_pipe'];

/** Loading machine code and calling any function by its address. */
const NATIVE = [
  '_dlopen_js',
  '_emscripten_dlopen_js',
  '_dlsym_js',
  '_emscripten_lookup_name',
  'ffi_call_js',
  'ffi_closure_alloc_js',
  'ffi_closure_free_js',
  'ffi_prep_closure_loc_js',
  'emscripten_run_script',
  'emscripten_run_script_int',
  'emscripten_run_script_string',
  'emscripten_set_up_async_input_device_js',
];

/** How Python reads, writes, calls and makes JavaScript objects. */
const JAVASCRIPT = /^_?(Js[A-Z]|Jsv|create_|wrap_|raw_call_js|array_to_js|python2js_custom)/;

/** What a call of a Python function from outside needs: its arguments, its value or its exception. */
const NEEDED = new Set(['JsvArray_Get', 'JsvNoValue_Check', 'JsvError_Check', 'JsvError_Throw']);

/** Functions for drawing: useless here, and registering each with the interpreter costs 0.1 ms. */
const GRAPHICS = /^emscripten_gl/;

/** A function of WebAssembly, `() => unreachable`: it can be passed to the interpreter directly. */
const TRAP = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic number, version
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // types: () => ()
  ...[0x03, 0x02, 0x01, 0x00], // functions: one of the first type
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00], // exports: it, as "f"
  ...[0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b], // code: unreachable
]);

/**
 * Walls the interpreter in at a level that code inside cannot change: WebAssembly can only call the functions it is
 * given. From the start, no sockets, pipes, processes or machine code; and no JavaScript objects once the returned
 * function has been called. Must be applied before the instance is made.
 */
export function wallIn(imports: Imports): () => void {
  let closed = false;
  for (const name of [...SOCKETS, ...PIPES]) imports[name] = () => -EPERM;
  imports._emscripten_system = () => -ENOSYS;
  for (const name of NATIVE) imports[name] = () => refuse(name);
  for (const [name, original] of Object.entries(imports)) {
    if (!JAVASCRIPT.test(name) || NEEDED.has(name)) continue;
    const guarded = (...args: never[]) => (closed ? refuse(name) : original(...args));
    imports[name] = Object.assign(guarded, original);
  }
  const { f: trap } = new WebAssembly.Instance(new WebAssembly.Module(TRAP)).exports;
  for (const name of Object.keys(imports)) if (trap && GRAPHICS.test(name)) imports[name] = trap;
  const grow = imports.emscripten_resize_heap as (bytes: number) => unknown;
  imports.emscripten_resize_heap = (bytes: number) => (bytes >>> 0 > LIMITS.memory.most ? 0 : grow(bytes));
  return () => {
    closed = true;
  };
}

function refuse(name: string): never {
  throw new Error(`the config tried to leave the interpreter (${name})`);
}
