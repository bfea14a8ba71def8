import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import type { Imports } from './boundary.js';

/** What pyodide calls its own module with; `createPyodideModule` is how that can be put in between. */
export interface Settings {
  instantiateWasm(imports: { env: Imports }, done: (instance: object, module: object) => void): object;
}

/** The JavaScript half of Python: 1.2 MB, which take 80 ms to compile and next to nothing from a cache. */
export interface Code {
  create(settings: Settings): Promise<unknown>;
  /** V8's cache of what has been compiled by now. */
  cache(): Buffer;
}

/**
 * Loads pyodide's module as a script: modules can't be compiled from a cache, and scripts from a cache can't
 * import. `cacheFile` may be missing or another version's: then it takes longer.
 */
export function loadCode(cacheFile: string | undefined): Code {
  const filename = require.resolve('pyodide/pyodide.asm.mjs');
  const body = readFileSync(filename, 'utf8')
    .replaceAll('import.meta.url', 'url')
    .replace(/\bimport\(/g, 'load(')
    .replace(/\bexport default (\w+);?\s*$/, 'return $1');
  const cachedData = cacheFile === undefined ? undefined : readIfThere(cacheFile);
  const script = new Script(`(function (url, load) {${body}\n})`, { filename, cachedData });
  const wrapper = script.runInThisContext() as (url: string, load: Import) => Code['create'];
  const create = wrapper(pathToFileURL(filename).href, (name) => import(name));
  return { create, cache: () => script.createCachedData() };
}

type Import = (name: string) => Promise<unknown>;

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
