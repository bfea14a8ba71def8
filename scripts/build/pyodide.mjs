import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Node has it, its types do not. */
const { WebAssembly } = /** @type {any} */ (globalThis);

/** What our own code calls in the interpreter, besides what pyodide's code does. */
const CALLED = [
  'PyErr_GetRaisedException',
  'PyImport_AddModule',
  'PyModule_GetDict',
  'PyObject_Repr',
  'PyRun_StringFlags',
  'PyUnicode_AsUTF8',
  '_PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET',
  '_PyRuntime',
  'free',
  'malloc',
];

/** Exports that Emscripten's code reaches by other ways than their names. */
const STRUCTURE = [
  '__main_argc_argv',
  'memory',
  '__indirect_function_table',
  '__wasm_call_ctors',
  '__stack_pointer',
];

/** Properties of the module that our own code uses, besides what pyodide's loader does. */
const PROPERTIES = ['ERRNO_CODES', 'FS', 'HEAPU8'];

/**
 * Pyodide without what only serves the loading of machine code, which a config may not do: its WebAssembly exports
 * 8,560 functions and values for it, and its JavaScript puts each of them into three tables at every start. What is
 * left are the 180 that JavaScript calls by name. Graphics and sound go, too. Throws if pyodide's code looks different.
 *
 * @returns {Promise<{ code: string, wasm: Uint8Array }>} `code` is a script: a function of (url, load, settings).
 */
export async function smallerPyodide() {
  const require = createRequire(import.meta.url);
  const original = readFileSync(require.resolve('pyodide/pyodide.asm.mjs'), 'utf8');
  const wasm = readFileSync(require.resolve('pyodide/pyodide.asm.wasm'));
  const imports = new Set(WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map(({ name }) => name));
  const text = new Text(original);

  // Addresses of functions for machine code, and of functions of JavaScript for C: only our trampoline is one.
  text.replace('updateGOT(origExports);LDSO.init();loadDylibs();', '');
  text.replace(
    'functionsInTableMap=new WeakMap;updateTableMap(0,wasmTable.length)',
    'functionsInTableMap=new WeakMap',
  );
  text.replaceAll(/(?<=[;{}])[\w$]+\.sig="[^"]*";/g, () => '');
  text.replaceAll(/(?<=var wasmImports=\{)[^{}]*(?=\};)/g, ([entries]) =>
    entries
      .split(',')
      .filter((entry) => imports.has(entry.split(':')[0]))
      .join(','),
  );

  const exports = new Set([...CALLED, ...STRUCTURE]);
  const loader = new Text(readFileSync(require.resolve('pyodide/pyodide.mjs'), 'utf8')).count(/[\w$]+/g);
  keepExports(text, exports, loader);
  const uses = text.count(/(?<=Module(?:\.|\["))[\w$]+/g);
  text.replaceAll(/(?<=[;{}])Module\["([\w$]+)"\]=\1;/g, ([all, name]) =>
    uses.get(name) > 1 || loader.has(name) || PROPERTIES.includes(name) ? all : '',
  );
  const code = await withoutUnused(text.value);
  return { code, wasm: withExports(wasm, exports) };
}

/** Keeps the functions and values that the code or its loader mentions, and adds their names to the set. */
function keepExports(text, exports, loader) {
  const words = text.count(/[\w$]+/g);
  const dropped = new Set();
  text.replaceAll(/(?<=function assignWasmExports\(wasmExports\)\{)[^{}]*/g, ([body]) =>
    body
      .split(';')
      .filter((statement) => {
        const [, variable, name] = ASSIGNMENT.exec(statement) ?? [];
        if (name === undefined) throw new Error(`pyodide assigns an export differently: ${statement}`);
        // Its declaration and, twice, its assignment.
        const used = words.get(variable) > 3 || loader.has(variable) || exports.has(name);
        if (used) exports.add(name);
        else dropped.add(variable);
        return used;
      })
      .join(';'),
  );
  text.replaceAll(/(?<=[;{}]var )_set_method_docstring,[^;]*(?=;)/g, ([names]) =>
    names
      .split(',')
      .filter((name) => !dropped.has(name))
      .join(','),
  );
  text.replaceAll(/wasmExports\["([^"]+)"\]=makeWrapper_\w+\(wasmExports\["\1"\]\);/g, ([all, name]) =>
    exports.has(name) ? all : '',
  );
  for (const name of text.count(/(?<=wasmExports(?:\.|\["))[\w$]+/g).keys()) exports.add(name);
}

const ASSIGNMENT =
  /^([\w$]+)=Module\["\1"\]=(?:wasmMemory=|wasmTable=Module\["wasmTable"\]=)?wasmExports\["([^"]+)"\](?:\.value>>>0)?$/;

/** The bundler removes what nothing refers to, but only at the top of a module. */
async function withoutUnused(text) {
  const start = 'async function _createPyodideModule(moduleArg={}){';
  const end = 'return moduleRtn}export default _createPyodideModule;';
  const body = text.trim();
  if (!body.startsWith(start) || !body.endsWith(end)) throw new Error('pyodide begins or ends differently');
  const result = await build({
    stdin: {
      contents: [
        'import {moduleArg, url, load} from "settings";',
        body
          .slice(start.length, -end.length)
          .replaceAll('import.meta.url', 'url')
          .replace(/\bimport\(/g, 'load(')
          // An `eval` that sees the variables here would keep all of them.
          .replace(/(?<![\w$.])eval\(/g, '(0,eval)('),
        'export {moduleRtn};',
      ].join('\n'),
    },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'node20',
    minify: true,
    external: ['settings'],
    legalComments: 'none',
    // The parts of pyodide that are meant for CommonJS are not used.
    logOverride: { 'commonjs-variable-in-esm': 'silent' },
  });
  const [, names, module] = /^import\{([^}]*)\}from"settings";(.*)$/s.exec(result.outputFiles[0].text) ?? [];
  const [, inner, answer] = /^(.*)export\{([\w$]+) as moduleRtn\};\s*$/s.exec(module ?? '') ?? [];
  if (inner === undefined) throw new Error('the bundler writes modules differently');
  const given = names.replaceAll(' as ', ':');
  return `(async function({${given}}){${inner}return ${answer}})`;
}

/** A text that is changed in places that must be there. */
class Text {
  constructor(value) {
    this.value = value;
  }

  replace(what, by) {
    if (this.value.split(what).length !== 2) throw new Error(`pyodide has changed: not once in it: ${what}`);
    this.value = this.value.replace(what, () => by);
  }

  replaceAll(what, by) {
    let found = 0;
    this.value = this.value.replace(what, (...groups) => {
      found++;
      return by(groups);
    });
    if (found === 0) throw new Error(`pyodide has changed: not in it: ${what}`);
  }

  count(what) {
    const counts = new Map();
    for (const [word] of this.value.matchAll(what)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return counts;
  }
}

const EXPORTS = 7;

/** The WebAssembly module with only these exports. */
function withExports(wasm, names) {
  const parts = [];
  const reader = new Reader(wasm, 8);
  parts.push(wasm.subarray(0, 8));
  while (reader.at < wasm.length) {
    const begin = reader.at;
    const kind = reader.byte();
    const end = reader.number() + reader.at;
    if (kind === EXPORTS) {
      const kept = [];
      for (let left = reader.number(); left > 0; left--) {
        const from = reader.at;
        const name = reader.name();
        reader.byte();
        reader.number();
        if (names.has(name)) kept.push(wasm.subarray(from, reader.at));
      }
      const content = Buffer.concat([encoded(kept.length), ...kept]);
      parts.push(Buffer.from([kind]), encoded(content.length), content);
    } else {
      parts.push(wasm.subarray(begin, end));
    }
    reader.at = end;
  }
  return Buffer.concat(parts);
}

/** Reads numbers (LEB128) and names of a WebAssembly module. */
class Reader {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  name() {
    const length = this.number();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
}

function encoded(number) {
  const bytes = [];
  for (let rest = number; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

/** What tells two of them apart. */
export function identityOf({ code, wasm }) {
  return createHash('sha256').update(code).update(wasm).digest('hex').slice(0, 16);
}

/** The versions of the package, and of the Python that it is: `{ pyodide, cpython }`. */
export function versionsOfPython(root) {
  const read = (name) => JSON.parse(readFileSync(join(root, 'node_modules/pyodide', name), 'utf8'));
  return { pyodide: read('package.json').version, cpython: read('pyodide-lock.json').info.python };
}
