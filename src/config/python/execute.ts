import { hostname } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { ConfigError, type ExecuteProgram, type Program } from '../program.js';
import { failureOfConfig } from './failure.js';
import type { PythonFailure, ThreadData, ThreadMessage } from './protocol.js';
import { compilePython } from './wasm.js';

/** How long a config may take once Python has started. */
export const TIME_LIMIT_MS = 20_000;

/** Deep enough for Python's own limit of recursion to come first. */
const STACK_MB = 64;

/**
 * Executes programs in a thread of its own each. `directory` is where the build has put `python.cjs` and its
 * snapshot. A program that takes longer than the limit is stopped and refused. Python's code is compiled for the
 * first one.
 */
export function pythonExecutor(directory: string, timeLimitMs = TIME_LIMIT_MS): ExecuteProgram {
  let compiled: Promise<object> | undefined;
  return async (program) => {
    compiled ??= compilePython(join(directory, 'python.cjs'));
    const wasm = compiled;
    const { port1: port, port2 } = new MessageChannel();
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const data: ThreadData = {
      port: port2,
      answered,
      snapshot: join(directory, 'python.snapshot'),
      codeCache: join(directory, 'python.code-cache'),
      host: hostFacts(program),
      program: {
        path: program.path,
        dialect: program.dialect,
        source: Buffer.from(program.source).toString('base64'),
      },
    };
    const thread = new Worker(join(directory, 'python.cjs'), {
      workerData: data,
      transferList: [port2],
      env: {},
      argv: [],
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { stackSizeMb: STACK_MB },
    });
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        port.on('message', (message: ThreadMessage) => {
          switch (message.kind) {
            case 'call':
              port.postMessage(program.session.call(message.operation, message.args));
              Atomics.store(answered, 0, 1);
              Atomics.notify(answered, 0);
              break;
            case 'print':
              program.print(message.text);
              break;
            case 'started':
              timer = setTimeout(() => reject(tooLong(program, timeLimitMs)), timeLimitMs);
              break;
            case 'done': {
              const failure = JSON.parse(message.failure) as PythonFailure | null;
              if (failure === null) resolve();
              else reject(failureOfConfig(failure, program));
              break;
            }
            case 'broken':
              reject(broken(program, message.message, message.stack));
          }
        });
        wasm
          .then((module) => thread.postMessage(module))
          .catch((error: Error) => reject(broken(program, error.message, error.stack ?? '')));
        thread.on('error', (error) => reject(broken(program, error.message, error.stack ?? '')));
        thread.on('exit', (code) => reject(broken(program, `the interpreter ended with ${code}`, '')));
      });
    } finally {
      clearTimeout(timer);
      port.close();
      // Not waited for: it takes 15 ms to 70 ms, and what comes next needs nothing of it.
      void thread.terminate();
    }
  };
}

function hostFacts(program: Program): ThreadData['host'] {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(program.environment)) {
    if (value !== undefined) environment[name] = value;
  }
  return {
    environment,
    cwd: program.cwd,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    pid: process.pid,
    hostname: hostname(),
  };
}

function tooLong(program: Program, limit: number): ConfigError {
  return new ConfigError(
    'load',
    'config-endless',
    `${program.path} was still running after ${limit / 1000} s and was stopped: does it loop without end?`,
  );
}

/** The interpreter itself gave up. */
function broken(program: Program, message: string, stack: string): ConfigError {
  const [, status] = /^Program terminated with exit\((\d+)\)/.exec(message) ?? [];
  if (status !== undefined) {
    const text = `${program.path} ended itself with the status ${status}`;
    return new ConfigError('load', 'config-exit', text, { debug: stack });
  }
  // Of a traceback the last line says what it is about, of a trap of WebAssembly nothing does.
  const what = stack.startsWith('RuntimeError')
    ? `Python crashed (${message})`
    : message.trimEnd().split('\n').at(-1);
  return new ConfigError('load', 'config-interpreter', `${program.path} can't be evaluated: ${what}`, {
    hint: /stack|recursion/i.test(message) ? 'does something call itself without end?' : undefined,
    debug: stack,
  });
}
