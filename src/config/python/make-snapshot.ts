/**
 * For the build: starts Python, loads the prelude, writes its memory to the file that is named. Starting from
 * that memory saves most of the 2 s that a start costs.
 */
import { writeFileSync } from 'node:fs';
import { createSession } from '../session.js';
import { startInterpreter } from './interpreter.js';

async function make(file: string): Promise<void> {
  const session = createSession();
  const interpreter = await startInterpreter({
    call: (operation, args) => session.call(operation, args),
    print: (text) => process.stderr.write(text),
    makeSnapshot: true,
  });
  writeFileSync(file, interpreter.snapshot());
}

void make(process.argv[2] ?? '');
