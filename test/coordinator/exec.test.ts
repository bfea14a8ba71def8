import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { processRow } from '../../src/host/process-table.js';
import { placeForEach, runToEnd, tempDir } from '../e2e/harness.js';
import { COORDINATOR, HAS_NATIVE } from '../runner/harness.js';
import { sanitizedCoordinator } from './variants.js';

const AS_ROOT = process.getuid?.() === 0;
const UID = AS_ROOT ? 65_534 : (process.getuid?.() as number);

const temp = tempDir();
afterAll(() => temp.remove());

const SANITIZED = HAS_NATIVE ? sanitizedCoordinator(temp.path) : undefined;
const PROGRAMS = [
  ['as it is built', COORDINATOR.native],
  ['with sanitizers', SANITIZED],
].filter((row): row is [string, string] => row[1] !== undefined);

const place = placeForEach();

describe.skipIf(PROGRAMS.length === 0).each(PROGRAMS)('a command beside a process, %s', (_, program) => {
  /** A process to be beside, in a directory of its own. */
  async function target(env: Record<string, string> = {}) {
    const cwd = join(place.path, 'cwd');
    mkdirSync(cwd);
    const child: ChildProcess = spawn('sh', ['-c', 'echo; exec cat'], {
      cwd,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(AS_ROOT && { uid: UID, gid: UID }),
    });
    place.children.push(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    const pid = child.pid as number;
    return { child, cwd, pid, ticks: processRow(pid)?.startTimeTicks as number };
  }

  const beside = (pid: number, ticks: number, uid: number, ...words: string[]) =>
    runToEnd(program, ['--exec', String(pid), String(ticks), String(uid), 'enter', ...words]);

  test('is in its directory, with its environment and ours behind it', async () => {
    const { cwd, pid, ticks } = await target({ ONE: 'its', EMPTY: '' });
    const script = 'pwd; echo "$ONE$TWO-$EMPTY-"; id -u; exit 3';
    const words = ['--exec', String(pid), String(ticks), String(UID), 'enter', 'sh', '-c', script];
    const env = { ONE: 'ours', TWO: 'ours', EMPTY: 'ours' };
    expect(runToEnd(program, words, { env })).toMatchObject({
      stdout: `${cwd}\nitsours--\n${UID}\n`,
      stderr: '',
      status: 3,
    });
  });

  test('has an environment of any size and form', async () => {
    const long = 'x'.repeat(100_000);
    const { pid, ticks } = await target({ LONG: long, 'a=b': 'c', '': 'nameless' });
    const { stdout } = beside(pid, ticks, UID, 'sh', '-c', 'printf %s "$LONG"; env | grep -c ^a=b=c');
    expect(stdout).toBe(`${long}1\n`);
  });

  test('is not started if the process is another one, has ended or has another user', async () => {
    const { child, pid, ticks } = await target();
    const ended = { status: 125, stdout: '', stderr: `thermos: process ${pid} of the task has ended\n` };
    expect(beside(pid, ticks + 1, UID, 'echo', 'no')).toMatchObject(ended);
    expect(beside(pid, ticks, UID + 1, 'echo', 'no')).toMatchObject({
      status: 125,
      stderr: `thermos: process ${pid} belongs to uid ${UID}, not ${UID + 1}\n`,
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(beside(pid, ticks, UID, 'echo', 'no')).toMatchObject(ended);
  });

  test('cannot be one that a descriptor of ours leads to', async () => {
    const { pid, ticks } = await target();
    for (let fd = 3; fd < 20; fd++) {
      expect(beside(pid, ticks, UID, `/proc/self/fd/${fd}/stat`).status).toBe(127);
      expect(beside(pid, ticks, UID, `/proc/self/fd/${fd}/../self/exe`).status).toBe(127);
    }
  });

  test.each(['', 'x', '12x', '99999999999999999999999'])('is not started for the pid %j', (pid) => {
    const { status, stderr } = runToEnd(program, ['--exec', pid, '1', '1', 'enter', 'true']);
    expect([status, stderr]).toEqual([125, `thermos: '${pid}' is not a number\n`]);
  });

  test.skipIf(!AS_ROOT)(
    'of root reads what is typed when a shell brings it from the background',
    async () => {
      const { pid, ticks } = await target();
      const child = spawn('script', ['-qefc', 'bash --norc --noprofile -i', '/dev/null'], {
        env: { PATH: process.env.PATH, SHELL: '/bin/sh', TERM: 'dumb' },
        stdio: ['pipe', 'pipe', 'inherit'],
        detached: true,
      });
      place.children.push(child);
      let shown = '';
      let wake = () => {};
      child.stdout?.on('data', (bytes) => {
        shown += String(bytes);
        wake();
      });
      const until = async (sight: RegExp) => {
        while (!sight.test(shown)) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      };
      const type = (line: string) => child.stdin?.write(`${line}\r`);
      type("PS1='rea''dy>'");
      await until(/ready>$/);
      const script = 'read -r line; echo "<$line>"';
      type(`'${program}' --exec ${pid} ${ticks} ${UID} enter sh -c '${script}' &`);
      await until(/\[1\] \d+\s+ready>$/);
      type('fg');
      type('typed');
      await until(/<typed>/);
      await until(/ready>$/);
      type('exit 3');
      expect(await once(child, 'exit')).toEqual([3, null]);
    },
  );

  test.skipIf(!AS_ROOT)('of root is passed signals, each once', async () => {
    const { pid, ticks } = await target();
    const names = ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'USR2'];
    const traps = names.map((name) => `trap 'echo ${name}' ${name}`).join('\n');
    const script = `${traps}\necho ready\nuntil read -r line && [ "$line" = end ]; do :; done; exit 3`;
    const words = ['--exec', String(pid), String(ticks), String(UID), 'enter', 'sh', '-c', script];
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    place.children.push(child);
    const lines: string[] = [];
    let wake = () => {};
    child.stdout?.on('data', (bytes) => {
      for (const line of String(bytes).split('\n')) if (line !== '') lines.push(line);
      wake();
    });
    const next = async (count: number) => {
      while (lines.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
    await next(1);
    for (const [i, name] of names.entries()) {
      child.kill(`SIG${name}` as NodeJS.Signals);
      await next(i + 2);
    }
    child.stdin?.write('end\n');
    expect(await once(child, 'exit')).toEqual([3, null]);
    expect(lines).toEqual(['ready', ...names]);
  });
});
