import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CachePlaces, compileCached } from '../../host/code-cache.js';
import type { Imports } from './boundary.js';
import type { EmscriptenFs } from './host-files.js';

/** What the build makes of pyodide: its JavaScript, and its WebAssembly with few exports. */
export const PYODIDE = { code: 'pyodide.js', wasm: 'pyodide.wasm' };

/** What Emscripten takes. `createPyodideModule` of pyodide's own loader gets one, and can change it. */
export interface Settings {
  /** Nothing of Python is started: its memory comes from a snapshot. */
  noInitialRun?: boolean;
  /** Emscripten adds to it what is done before. */
  preRun?: unknown[];
  API?: object;
  instantiateWasm(imports: { env: Imports }, done: (instance: object, module: object) => void): object;
}

/** Emscripten's side of a running Python: the parts that are used here. Addresses are numbers. */
export interface Emscripten {
  readonly FS: EmscriptenFs;
  readonly ERRNO_CODES: Readonly<Record<string, number>>;
  /** Its memory; another view after it has grown. */
  readonly HEAPU8: Uint8Array;
  readonly API: { fatal_error(error: unknown): never };
  _malloc(bytes: number): number;
  _free(address: number): void;
  _PyImport_AddModule(name: number): number;
  _PyModule_GetDict(module: number): number;
  _PyRun_StringFlags(text: number, start: number, globals: number, locals: number, flags: number): number;
  _PyUnicode_AsUTF8(text: number): number;
  _PyObject_Repr(value: number): number;
  _PyErr_GetRaisedException(): number;
}

/** The JavaScript half of Python: compiling it takes 40 ms, and almost no time from a cache. */
export interface Code {
  create(settings: Settings): Promise<Emscripten>;
  /** Keeps what is compiled by now for the next start, if there was no cache. */
  keep(): void;
}

/** The first line of the code, which distinguishes this build from all others. */
export function buildOf(code: string): string {
  return code.slice(0, code.indexOf('\n'));
}

/** Loads pyodide's JavaScript, which the build has made a script: modules cannot be compiled from a cache. */
export function loadCode(directory: string, caches: CachePlaces): Code & { readonly build: string } {
  const filename = join(directory, PYODIDE.code);
  const code = readFileSync(filename, 'latin1');
  const build = buildOf(code);
  const id = build.replace(/\W+/g, '');
  const { script, keep } = compileCached({ name: 'python', id, code, options: { filename } }, caches);
  const start = script.runInThisContext() as (given: object) => Promise<Emscripten>;
  const url = pathToFileURL(filename).href;
  const create = (moduleArg: Settings) => start({ moduleArg, url, load: (name: string) => import(name) });
  return { build, create, keep: () => keep('config') };
}
