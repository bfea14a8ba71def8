/**
 * For the build: starts Python, loads the prelude, and writes what makes the next start quick into the directory
 * that is named: its memory, and V8's cache of what a start and an evaluation use of pyodide's code.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSession } from '../session.js';
import { startInterpreter } from './interpreter.js';
import { Printed } from './printed.js';
import { compilePython } from './wasm.js';

async function make(directory: string): Promise<void> {
  const session = createSession();
  const common = {
    call: (operation: string, args: string) => session.call(operation, args),
    print: new Printed((text) => process.stderr.write(text)),
    wasm: compilePython(__filename),
  };
  const snapshot = join(directory, 'python.snapshot');
  const first = await startInterpreter({ ...common, makeSnapshot: true });
  writeFileSync(snapshot, first.snapshot());

  const second = await startInterpreter({ ...common, snapshot });
  second.enter({ environment: {}, cwd: directory, uid: 0, gid: 0, pid: 1, hostname: 'build' });
  const source = "export(Task(processes=[Process(name='a', cmdline='true')]))";
  const failure = second.execute({
    path: 'warm-up.thermos',
    dialect: 'thermos',
    source: Buffer.from(source).toString('base64'),
  });
  if (failure !== 'null') throw new Error(failure);
  writeFileSync(join(directory, 'python.code-cache'), second.codeCache());
}

void make(process.argv[2] ?? '');
