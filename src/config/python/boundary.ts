/** The functions through which WebAssembly code reaches out: by name. */
export type Imports = Record<string, (...args: never[]) => unknown>;

/** EPERM and ENOSYS as Emscripten numbers them. */
const EPERM = 63;
const ENOSYS = 52;

/** What one evaluation may take of the machine's memory, in bytes. */
export const MEMORY_LIMIT = 1024 ** 3;

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

/** Loading of machine code and calling of any function by its address. */
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

/** What a call of a Python function from outside needs: its arguments, the text that it gives. */
const NEEDED = new Set(['JsvArray_Get', 'JsvNoValue_Check']);

/**
 * Puts a wall around the interpreter, where it can't be climbed from within: WebAssembly can do nothing but
 * call what it is given. No sockets, no processes, no machine code from the start; and no JavaScript objects
 * from the moment when the returned function is called. Must be applied before the instance is made.
 */
export function wallIn(imports: Imports): () => void {
  let closed = false;
  for (const name of SOCKETS) imports[name] = () => -EPERM;
  imports._emscripten_system = () => -ENOSYS;
  for (const name of NATIVE) imports[name] = () => refuse(name);
  for (const [name, original] of Object.entries(imports)) {
    if (!JAVASCRIPT.test(name) || NEEDED.has(name)) continue;
    const guarded = (...args: never[]) => (closed ? refuse(name) : original(...args));
    imports[name] = Object.assign(guarded, original);
  }
  const grow = imports.emscripten_resize_heap as (bytes: number) => unknown;
  imports.emscripten_resize_heap = (bytes: number) => (bytes >>> 0 > MEMORY_LIMIT ? 0 : grow(bytes));
  return () => {
    closed = true;
  };
}

function refuse(name: string): never {
  throw new Error(`the config tried to leave the interpreter (${name})`);
}
