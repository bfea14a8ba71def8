import { type ChildProcess, spawn } from 'node:child_process';
import { cleanEnv, type Finished, PROGRAM, type RunOptions } from './harness.js';

/** As `thermos` of the harness, but what the program asks of this process is answered meanwhile. */
export function asking({ children }: { children: ChildProcess[] }) {
  return (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
    new Promise((resolve, reject) => {
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
