import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { PYODIDE } from './code.js';

/** The part of WebAssembly's interface that is used here; Node has it, its types do not. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/**
 * The default of `--wasm-tiering-budget` in the versions of Node that the flags were measured on. V8 complains on stderr
 * about an unknown flag, and a cache of code fits only the flags that it was made with.
 */
const DEFAULTS: Readonly<Record<string, number>> = { 20: 1_800_000, 22: 13_000_000, 24: 13_000_000 };

const USUAL = DEFAULTS[process.versions.node.split('.')[0] ?? ''];

/**
 * Python's code, compiled; it can be sent to other threads. `directory` is where the build has put it.
 *
 * V8 does not validate its functions before their first use, which would take longer than the evaluation; this is for
 * these functions only, since pyodide checks what V8 refuses.
 */
export async function compilePython(directory: string): Promise<object> {
  const code = await readFile(join(directory, PYODIDE.wasm));
  if (USUAL === undefined) return WebAssembly.compile(code);
  setFlagsFromString('--wasm-lazy-validation');
  // V8 of Node 20 takes it from here, that of the others from each instance.
  setBudget('all');
  try {
    return await WebAssembly.compile(code);
  } finally {
    setFlagsFromString('--no-wasm-lazy-validation');
    setBudget('usual');
  }
}

/**
 * V8 compiles a function quickly, counts down a budget as the function runs, and compiles it again, well, at zero. A
 * function may have `all`; a step costs its length in bytes, but no more than a quarter of the flag's value at its
 * quick compilation. Python's main loop is so long that a few thousand steps use all of any budget, and compiling it
 * well takes 0.1 s to 0.2 s, more than most configs take: in the functions that are compiled for the start, the main
 * loop among them, a step costs little. So a config that computes for half a second still gets it.
 */
const BUDGETS = { all: 2 ** 31 - 1, start: 1600, usual: USUAL } as const;

/**
 * Sets V8's budget for functions of WebAssembly: `all` for a new instance, then `start` for what is compiled; `usual` is
 * V8's own, without which it takes no code from a cache and gives none to it.
 */
export function setBudget(phase: keyof typeof BUDGETS): void {
  if (USUAL !== undefined) setFlagsFromString(`--wasm-tiering-budget=${BUDGETS[phase]}`);
}
