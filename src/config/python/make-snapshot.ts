/** For the build: starts Python, loads the prelude and writes the memory to the given file, for quick starts. */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createSession } from '../session.js';
import { startInterpreter } from './interpreter.js';
import { Printed } from './printed.js';
import { compilePython } from './wasm.js';

async function make(snapshot: string): Promise<void> {
  const session = createSession();
  const python = await startInterpreter({
    call: (operation: string, args: string) => session.call(operation, args),
    print: new Printed((text) => process.stderr.write(text)),
    wasm: compilePython(__filename),
    caches: { built: dirname(snapshot) },
    makeSnapshot: true,
  });
  writeFileSync(snapshot, python.snapshot());
}

void make(process.argv[2] ?? '');
