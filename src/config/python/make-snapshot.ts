/** For the build: starts Python, loads the prelude and writes the memory to a file, for quick starts. */
import { writeFileSync } from 'node:fs';
import { createSession } from '../session.js';
import { loadCode } from './code.js';
import { memoryOfPython } from './interpreter.js';
import { Printed } from './printed.js';
import { snapshotOf } from './snapshot.js';
import { compilePython } from './wasm.js';

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

const [, , pyodide = '', snapshot = ''] = process.argv;
void make(pyodide, snapshot);
