import { readFileSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { version } from 'pyodide';
import { type CachePlaces, compileCached } from '../../host/code-cache.js';
import type { Imports } from './boundary.js';

/** What pyodide passes to its own module; `createPyodideModule` can intercept it. */
export interface Settings {
  instantiateWasm(imports: { env: Imports }, done: (instance: object, module: object) => void): object;
}

/** The JavaScript half of Python: 1.2 MB, which takes 80 ms to compile and almost no time from a cache. */
export interface Code {
  create(settings: Settings): Promise<unknown>;
  /** Keeps what is compiled by now for the next start, if there was no cache. */
  keep(): void;
}

/**
 * Loads pyodide's module as a script: modules can't be compiled from a cache, and scripts from a cache can't
 * import.
 */
export function loadCode(caches: CachePlaces): Code {
  const filename = require.resolve('pyodide/pyodide.asm.mjs');
  const body = readFileSync(filename, 'utf8')
    .replaceAll('import.meta.url', 'url')
    .replace(/\bimport\(/g, 'load(')
    .replace(/\bexport default (\w+);?\s*$/, 'return $1');
  const code = `(function (url, load) {${body}\n})`;
  const { size, mtimeMs } = statSync(filename);
  const id = `${version}.${size}.${mtimeMs}.${code.length}`;
  const { script, keep } = compileCached({ name: 'python', id, code, options: { filename } }, caches);
  const wrapper = script.runInThisContext() as (url: string, load: Import) => Code['create'];
  const create = wrapper(pathToFileURL(filename).href, (name) => import(name));
  return { create, keep: () => keep('config') };
}

type Import = (name: string) => Promise<unknown>;
