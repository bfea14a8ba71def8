import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll } from 'vitest';
import { BUILT, cleanEnv, type Finished, isServed, PROGRAM, type RunOptions } from './harness.js';
import { ProgramSession } from './program-server.js';

/** As `thermos` of the harness, but what the program asks of this process is answered meanwhile. */
export function asking({ children }: { children: ChildProcess[] }) {
  const idle: ProgramSession[] = [];
  afterAll(() => {
    for (const session of idle) session.end();
  });

  async function serve(argv: readonly string[], { env, cwd = process.cwd() }: RunOptions): Promise<Finished> {
    const session = idle.pop() ?? new ProgramSession(BUILT);
    const finished = await session.ask({ argv, env: cleanEnv(env), cwd });
    if (session.isSpent) session.end();
    else idle.push(session);
    return { status: null, signal: null, ...finished };
  }

  function start(args: readonly string[], options: RunOptions): Promise<Finished> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [PROGRAM, ...args], {
        cwd: options.cwd,
        env: cleanEnv(options.env),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      children.push(child);
      const texts = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          texts[name] += text;
        });
      }
      child.on('error', reject);
      child.on('close', (status, signal) => resolve({ ...texts, status, signal }));
    });
  }

  return (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
    isServed(args, options) ? serve(args, options) : start(args, options);
}
