import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { PYODIDE } from './code.js';

/** The part of WebAssembly's interface that is used here; Node has it, its types do not. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/**
 * Python's code, compiled; it can be sent to other threads. `directory` is where the build has put it.
 *
 * From here on, V8 compiles functions quickly instead of well until they are used often: most configs are evaluated
 * before better code would be ready. V8 also does not validate functions before their first use, which would take
 * longer than the evaluation; this is for these functions only, since pyodide checks what V8 refuses. V8 complains
 * on stderr about an unknown flag, so the flags are set only for the versions they were measured on. V8's flags are
 * part of the check of its code caches.
 */
export async function compilePython(directory: string): Promise<object> {
  const code = await readFile(join(directory, PYODIDE.wasm));
  if (!process.version.startsWith('v20.')) return WebAssembly.compile(code);
  setFlagsFromString('--wasm-tiering-budget=300000000');
  setFlagsFromString('--wasm-lazy-validation');
  try {
    return await WebAssembly.compile(code);
  } finally {
    setFlagsFromString('--no-wasm-lazy-validation');
  }
}
