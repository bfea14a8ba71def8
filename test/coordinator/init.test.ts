import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, test } from 'vitest';
import { placeForEach, runToEnd, tempDir } from '../e2e/harness.js';
import { COORDINATOR, HAS_NATIVE } from '../runner/harness.js';
import { sanitizedCoordinator } from './variants.js';

const temp = tempDir();
afterAll(() => temp.remove());

const SANITIZED = HAS_NATIVE ? sanitizedCoordinator(temp.path) : undefined;
const PROGRAMS = [
  ['as it is built', COORDINATOR.native],
  ['with sanitizers', SANITIZED],
].filter((row): row is [string, string] => row[1] !== undefined);

const place = placeForEach();

describe.skipIf(PROGRAMS.length === 0).each(PROGRAMS)('the init in C, %s', (_, program) => {
  const run = (...words: string[]) => runToEnd(program, ['--init', ...words]);

  function start(script: string): { child: ChildProcess; next: () => Promise<string | undefined> } {
    const child = spawn(program, ['--init', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    place.children.push(child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    return { child, next: async () => (await lines.next()).value };
  }

  test('ends as its program does, with 128 and the number of a signal that ended it', () => {
    expect(run('sh', '-c', 'exit 0').status).toBe(0);
    expect(run('sh', '-c', 'exit 42').status).toBe(42);
    expect(run('sh', '-c', 'kill -KILL $$').status).toBe(137);
    expect(run('sh', '-c', 'kill -TERM $$').status).toBe(143);
  });

  test('says why a program cannot be started, with the exit codes of a shell', () => {
    const file = join(place.path, 'file');
    writeFileSync(file, '');
    expect(run(file, 'x')).toMatchObject({ status: 126, stderr: `thermos: ${file}: Permission denied\n` });
    const missing = join(place.path, 'missing');
    expect(run(missing, 'x')).toMatchObject({
      status: 127,
      stderr: `thermos: ${missing}: No such file or directory\n`,
    });
  });

  test('forwards signals, each once', async () => {
    const signals = ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'USR2', 'ALRM', 'WINCH', 'CONT', 'PIPE'];
    const traps = signals.map((name) => `trap 'echo ${name}' ${name}`).join('\n');
    // What a signal ends is `read`, and then the line is not "end".
    const { child, next } = start(
      `${traps}\necho ready\nuntil read -r line && [ "$line" = end ]; do :; done; exit 3`,
    );
    expect(await next()).toBe('ready');
    for (const name of signals) {
      child.kill(`SIG${name}` as NodeJS.Signals);
      expect(await next()).toBe(name);
    }
    child.stdin?.write('end\n');
    expect(await once(child, 'exit')).toEqual([3, null]);
    expect(await next()).toBeUndefined();
  });

  test('becomes the parent of what loses its own, and reaps it', async () => {
    const { child, next } = start(`
      orphan=$(sh -c 'sleep 300 >/dev/null 2>&1 & echo $!')
      until grep -q "^PPid:.$PPID$" /proc/$orphan/status; do sleep 0.02; done
      kill $orphan
      while [ -e /proc/$orphan ]; do sleep 0.02; done
      echo reaped`);
    expect(await next()).toBe('reaped');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('continues its program after Ctrl-Z, which nobody else could do', async () => {
    const { child, next } = start('trap "echo continued" CONT; kill -TSTP $$; echo over');
    expect([await next(), await next()]).toEqual(['continued', 'over']);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('notices the end of its program also if it was started to ignore the end of children', () => {
    // Older ones cannot do that; then it is started as always.
    const ignoring =
      runToEnd('env', ['--ignore-signal=CHLD', 'true']).status === 0 ? ['--ignore-signal=CHLD'] : [];
    expect(runToEnd('env', [...ignoring, program, '--init', 'sh', '-c', 'exit 5']).status).toBe(5);
  });

  test('leaves the terminal to who started it when it ends', () => {
    // The process group of the shell, and that of its terminal.
    const groups = `read -r stat </proc/self/stat; set -- \${stat##*)}; echo $3 $6`;
    const line = `script -qefc "'${program}' --init sh -c :; ${groups.replaceAll('$', '\\$')}" /dev/null </dev/null`;
    const { stdout, status } = runToEnd('bash', ['-c', line], { env: { SHELL: '/bin/sh' } });
    expect(stdout).toMatch(/^(\d+) \1\r\n$/);
    expect(status).toBe(0);
  });

  test('gives its program the signals that it has got itself: ignored ones, and none blocked', () => {
    const script = `grep -E '^Sig(Blk|Ign)' /proc/self/status`;
    const outer = `trap '' HUP; exec '${program}' --init sh -c "${script}"`;
    const { stdout } = runToEnd('sh', ['-c', outer]);
    expect(stdout).toMatch(/^SigBlk:\s0{16}\nSigIgn:\s0{15}1\n$/);
  });

  test('leaves the keys of a terminal to its program, which gets each once', () => {
    const script = `stty -echo; trap 'echo INT' INT; echo ready; until read -r line && [ "$line" = end ]; do :; done`;
    const typed = `until grep -q ready typescript; do sleep 0.02; done; printf '\\003'
      until grep -q INT typescript; do sleep 0.02; done; echo end`;
    const line = `(${typed}) | script -qefc "'${program}' --init sh -c '${script.replaceAll("'", `'\\''`).replaceAll('"', '\\"').replaceAll('$', '\\$')}'" typescript`;
    const { stdout, status } = runToEnd('bash', ['-c', line], { cwd: place.path, env: { SHELL: '/bin/sh' } });
    expect({ lines: stdout.split('\r\n'), status }).toEqual({
      lines: ['ready', expect.stringMatching(/^(\^C)?INT$/), ''],
      status: 0,
    });
  });
});
