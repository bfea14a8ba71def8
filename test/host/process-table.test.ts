import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { homeOf, isExiting, processRow } from '../../src/host/process-table.js';

test('a process that is exiting is recognized although little of it can be seen', async () => {
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  // What replaces the shell takes no notice of its child's end.
  const parent = spawn('bash', ['-c', 'read <&0 & echo $!; exec sleep 1000'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(parent.stdout, 'data');
    const child = Number(line);
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n');
    expect(isExiting(child)).toBe(false);
    parent.stdin.end();
    await until(() => processRow(child)?.state === 'Z');
    expect(homeOf(child)).toBeUndefined();
    expect(isExiting(child)).toBe(true);
    expect(isExiting(parent.pid as number)).toBe(false);
    expect(isExiting(2 ** 22 + 1)).toBe(true);
  } finally {
    parent.kill('SIGKILL');
  }
});
