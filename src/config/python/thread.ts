/**
 * The thread that evaluates a config: the interpreter and nothing else. The session stays on the other side; a
 * call writes to the port and sleeps until the answer is there. A thread can be ended at any time, whatever the
 * config does.
 */

import { join } from 'node:path';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { loadCode } from './code.js';
import { type Interpreter, type Parts, resumePython, startPython } from './interpreter.js';
import { Printed } from './printed.js';
import type { ThreadData, ThreadMessage } from './protocol.js';
import { openSnapshot, SNAPSHOT } from './snapshot.js';
import { setBudget } from './wasm.js';

const { port, answered, leftOut, directory, caches, host, program } = workerData as ThreadData;
const wasm = new Promise<object>((resolve) => parentPort?.once('message', resolve));
const say = (message: ThreadMessage): void => port.postMessage(message);

function call(operation: string, args: string): string {
  Atomics.store(answered, 0, 0);
  say({ kind: 'call', operation, args });
  // In a loop: the notice of the previous answer may wake it, if that answer was there before the sleep.
  while (Atomics.load(answered, 0) === 0) Atomics.wait(answered, 0, 0);
  return receiveMessageOnPort(port)?.message as string;
}

/** From the snapshot if there is a matching one, else from nothing. */
async function start(parts: Parts, build: string): Promise<Interpreter> {
  try {
    return await resumePython(parts, openSnapshot(join(directory, SNAPSHOT), build));
  } catch {
    // The snapshot is missing, of another build or damaged: the start is slower, not different.
  }
  return startPython(parts);
}

async function run(): Promise<void> {
  // Compiling in V8 does not keep a thread alive; it is ended from outside.
  setInterval(() => {}, 2 ** 30);
  const print = new Printed((text) => say({ kind: 'print', text }), leftOut);
  // Its compilation sets V8's flags for a while, and a cache of code fits only the flags it was made with.
  const parts = { call, print, wasm: await wasm };
  const code = loadCode(directory, caches);
  const interpreter = await start({ ...parts, code }, code.build);
  interpreter.enter(host);
  // Before any code of the config runs: later starts execute what is kept.
  setBudget('usual');
  code.keep();
  say({ kind: 'started' });
  say({ kind: 'done', failure: interpreter.execute(program) });
}

run().catch((error: unknown) => {
  // What Emscripten throws is not always an Error.
  const { message, stack } = error as Partial<Error>;
  say({ kind: 'broken', message: String(message ?? 'the interpreter failed'), stack: String(stack ?? '') });
});
