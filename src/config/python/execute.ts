import { hostname } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { errnoOf } from '../../errors/errors.js';
import { ownCacheDirectory } from '../../host/code-cache.js';
import { cpuSeconds, grouped, LIMITS, LimitError, shortened } from '../limits.js';
import { beyondLimit } from '../problems.js';
import { ConfigError, type ExecuteProgram, type Program } from '../program.js';
import { failureOfConfig, parseFailure } from './failure.js';
import type { ThreadData, ThreadMessage } from './protocol.js';
import { compilePython, setBudget } from './wasm.js';

/** Deep enough that Python's own recursion limit is reached first. */
const STACK_MB = 64;

/** For JavaScript in the thread; Python's memory does not count. */
const HEAP_MB = 128;

const CLOCK_MS = 200;

/**
 * Executes each program in its own thread. `directory` is where the build has put `python.cjs` and its snapshot. A
 * program that takes longer than the limit is stopped and refused; one that exceeds another limit or forges calls
 * through the door is refused at its end. Python's code is compiled for the first one.
 */
export function pythonExecutor(directory: string, timeLimitMs = LIMITS.time.most * 1000): ExecuteProgram {
  let compiled: Promise<object> | undefined;
  return async (program) => {
    compiled ??= compilePython(directory);
    const wasm = compiled;
    const { port1: port, port2 } = new MessageChannel();
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const leftOut = new BigInt64Array(new SharedArrayBuffer(8));
    const data: ThreadData = {
      port: port2,
      answered,
      leftOut,
      directory,
      caches: { own: ownCacheDirectory(process.env), built: join(directory, 'cache') },
      host: interpreterHost(program),
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
      resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: HEAP_MB },
    });
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        port.on('message', (message: ThreadMessage) => {
          try {
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
                timer = watch(program, timeLimitMs, reject);
                break;
              case 'done':
                conclude(message.failure, program);
                resolve();
                break;
              case 'broken':
                throw broken(program, message.message, message.stack);
            }
          } catch (error) {
            reject(error);
          }
        });
        wasm
          .then((module) => thread.postMessage(module))
          .catch((error: Error) => reject(broken(program, error.message, error.stack ?? '')));
        thread.on('error', (error) => reject(died(program, error)));
        thread.on('exit', (code) => reject(broken(program, `the interpreter ended with ${code}`, '')));
      });
    } finally {
      clearInterval(timer);
      port.close();
      setBudget('usual');
      // Not awaited: it takes 15 ms to 70 ms, and nothing that follows depends on it.
      void thread.terminate();
      const count = Atomics.load(leftOut, 0);
      if (count > 0n) program.print(`\n… and ${grouped(Number(count))} more bytes, which are left out\n`);
    }
  };
}

/** Python may sleep, so both count: CPU time and wall-clock time. */
function watch(program: Program, timeLimitMs: number, stop: (error: ConfigError) => void): NodeJS.Timeout {
  const begin = { time: performance.now(), cpu: cpuSeconds() };
  return setInterval(
    () => {
      const [time, cpu] = [performance.now() - begin.time, cpuSeconds() - begin.cpu];
      if (time >= timeLimitMs) stop(tooLong(program, `after ${timeLimitMs / 1000} s`));
      else if (cpu >= LIMITS.cpu.most) stop(tooLong(program, `after ${LIMITS.cpu.most} s of computing`));
    },
    Math.min(CLOCK_MS, timeLimitMs),
  );
}

/** Throws the error of a program that has ended, if there is one. */
function conclude(text: unknown, program: Program): void {
  const { refused } = program.session;
  const failure = parseFailure(text);
  if (refused instanceof LimitError) {
    refused.path ??= failure?.path;
    refused.line ??= failure?.line;
    throw beyondLimit('load', program.path, refused);
  }
  if (refused !== undefined) {
    const place = failure?.line === undefined ? program.path : `${failure.path}, line ${failure.line}`;
    const message = `${place}: the config wrote something to /dev/thermos that is not a call (${refused.message})`;
    throw new ConfigError('load', 'config-forged', message, {
      hint: 'only the built-in classes of configs may use that file',
    });
  }
  if (failure === undefined) {
    const message = `${program.path} cannot be evaluated: the config has changed the modules that evaluate it`;
    throw new ConfigError('load', 'config-interpreter', message, { debug: shortened(String(text)) });
  }
  if (failure !== null) throw failureOfConfig(failure, program);
}

function interpreterHost(program: Program): ThreadData['host'] {
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

function tooLong(program: Program, when: string): ConfigError {
  return new ConfigError(
    'load',
    'config-endless',
    `${program.path} was still running ${when} and was stopped: does it loop without end?`,
  );
}

/** The thread itself has ended. */
function died(program: Program, error: Error): ConfigError {
  if (errnoOf(error) !== 'ERR_WORKER_OUT_OF_MEMORY') return broken(program, error.message, error.stack ?? '');
  const message = `${program.path} needs more memory than it may use (${HEAP_MB} MiB besides Python's own)`;
  return new ConfigError('load', 'config-memory', message, { debug: error.stack });
}

/** The interpreter itself gave up. */
function broken(program: Program, message: string, stack: string): ConfigError {
  const [, status] = /^Program terminated with exit\((\d+)\)/.exec(message) ?? [];
  if (status !== undefined) {
    const text = `${program.path} exited with the status ${status}`;
    return new ConfigError('load', 'config-exit', text, { debug: stack });
  }
  // The last line of a traceback says what happened; nothing does in a trap of WebAssembly.
  const what = stack.startsWith('RuntimeError')
    ? `Python crashed (${shortened(message)})`
    : shortened(message.trimEnd().split('\n').at(-1) ?? '');
  return new ConfigError('load', 'config-interpreter', `${program.path} cannot be evaluated: ${what}`, {
    hint: /stack|recursion/i.test(message) ? 'does something call itself without end?' : undefined,
    debug: stack,
  });
}
