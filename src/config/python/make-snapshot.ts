/** For the build: starts Python, loads the prelude and writes the memory to a file, for quick starts. */
import nodeCrypto from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createSession } from '../session.js';
import { loadCode } from './code.js';
import { memoryOfPython } from './interpreter.js';
import { Printed } from './printed.js';
import { snapshotOf } from './snapshot.js';
import { compilePython } from './wasm.js';

/**
 * Makes chance and time the same each time, and hides where this program is: they are in the memory, and a release must
 * have the same bytes whenever and wherever it is built. What uses the memory has real ones again.
 */
function withoutChance(): void {
  let now = 0;
  Date.now = () => Date.UTC(2026, 0) + ++now;
  performance.now = () => ++now;
  const fill = <T extends ArrayBufferView>(view: T): T => {
    new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).fill(1);
    return view;
  };
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: fill });
  Object.defineProperty(nodeCrypto, 'randomFillSync', { value: fill });
  process.argv[1] = 'make-snapshot';
}

/** `pyodide`: the directory with pyodide's code. */
async function make(pyodide: string, snapshot: string): Promise<void> {
  const session = createSession();
  const wasm = await compilePython(pyodide);
  const code = loadCode(pyodide, { built: pyodide });
  const [memory, fresh] = await memoryOfPython({
    call: (operation: string, args: string) => session.call(operation, args),
    print: new Printed((text) => process.stderr.write(text)),
    code,
    wasm,
  });
  writeFileSync(snapshot, Buffer.concat(snapshotOf(code.build, memory, fresh)));
}

withoutChance();
const [, , pyodide = '', snapshot = ''] = process.argv;
void make(pyodide, snapshot);
