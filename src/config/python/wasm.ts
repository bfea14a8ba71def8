import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';

/** The part of WebAssembly's interface that is used here; Node has it, its types don't. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/**
 * Python's code, compiled; other threads can be given it. `from` is a file beside which pyodide is installed.
 *
 * From here on functions are compiled quickly instead of well until they have been used a lot: most configs are
 * evaluated before better code would be ready. And they are not checked before they are used, which would take
 * longer than the evaluation; but only these, for pyodide looks at what V8 refuses. V8 complains on stderr of a
 * flag that it doesn't know, so this is left to the versions that it was measured on. Its flags are part of what
 * its code caches are checked by.
 */
export async function compilePython(from: string): Promise<object> {
  const file = createRequire(from).resolve('pyodide/pyodide.asm.wasm');
  const code = await readFile(file);
  if (!process.version.startsWith('v20.')) return WebAssembly.compile(code);
  setFlagsFromString('--wasm-tiering-budget=300000000');
  setFlagsFromString('--wasm-lazy-validation');
  try {
    return await WebAssembly.compile(code);
  } finally {
    setFlagsFromString('--no-wasm-lazy-validation');
  }
}
