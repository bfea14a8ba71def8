import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXAMPLE } from '../../src/config/example.js';
import { placeForEach, shell, thermos } from './harness.js';
import { expectContract } from './tasks.js';

const place = placeForEach();
const init = (...words: string[]) => thermos(['init', ...words], { cwd: place.path });

describe('init', () => {
  test('writes an example that is without faults and runs as it is, and says how', () => {
    const { stdout, stderr, status } = init();
    expect({ stdout, stderr, status }).toEqual({
      stdout:
        'hello.thermos is written. What to do next:\n\n  thermos inspect hello.thermos\n  thermos run hello.thermos\n',
      stderr: '',
      status: 0,
    });
    const commands = stdout.match(/^ {2}thermos .*$/gm) as string[];
    const [inspected, ran] = commands.map((command) =>
      shell(`${command.trim()} --json`, { cwd: place.path, env: { THERMOS_ROOT: place.root } }),
    );
    expect(inspected).toMatchObject({ stderr: '', status: 0 });
    expect(JSON.parse(inspected?.stdout ?? '')).toMatchObject({ lint: [], ports: [] });
    expect(ran).toMatchObject({ stderr: '', status: 0 });
    const document = JSON.parse(ran?.stdout ?? '');
    expectContract('inspect', document);
    expect(document).toMatchObject({ state: 'SUCCESS', problems: [], ordering: expect.anything() });
    expect(
      document.processes.map(({ process, state, runs }: Record<string, unknown>) => [process, state, runs]),
    ).toEqual([
      ['prepare', 'SUCCESS', 1],
      ['check', 'SUCCESS', 2],
      ['serve', 'SUCCESS', 1],
      ['clean', 'SUCCESS', 1],
    ]);
  });

  test('writes values that the command line replaces', () => {
    init('a.thermos');
    const words = ['--dry-run', '--json', '-P', 'http:9090', '-E', 'greeting=Hi', 'a.thermos'];
    const { stdout, stderr } = thermos(['run', '--root', place.root, ...words], { cwd: place.path });
    expect(stderr).toBe('');
    const { task, ports } = JSON.parse(stdout);
    expect(ports).toEqual({ http: 9090 });
    expect(task.processes[0].cmdline).toMatch(/^echo "Hi from /);
    expect(task.processes[2].cmdline).toContain('port 9090 now');
  });

  test('tells a script what it wrote', () => {
    const { stdout } = init('--json', 'a.thermos');
    expectContract('init', JSON.parse(stdout));
    expect(JSON.parse(stdout).path).toBe(join(place.path, 'a.thermos'));
  });

  test('writes to stdout for -, and nothing else', () => {
    expect(init('-')).toMatchObject({ stdout: EXAMPLE, stderr: '', status: 0 });
    expect(shell('thermos init - | head -1', { cwd: place.path })).toMatchObject({ stderr: '', status: 0 });
    expect(init('-', '--force')).toMatchObject({ stdout: '', status: 2 });
    expect(init('-', '--json').status).toBe(2);
  });

  test('does not overwrite a file unless told to', () => {
    init('a.thermos', '--json');
    const { stdout, stderr, status } = init('a.thermos');
    expect({ stdout, stderr, status }).toEqual({
      stdout: '',
      stderr: 'error: a.thermos exists, and is not overwritten\nhint: --force replaces it\n',
      status: 2,
    });
    expect(init('-f', 'a.thermos').status).toBe(0);
    expect(readFileSync(join(place.path, 'a.thermos'), 'utf8')).toBe(EXAMPLE);
  });

  test('reports a directory that is gone, and one that cannot be written', () => {
    const { stdout, stderr, status } = shell('mkdir gone; cd gone; rmdir ../gone; thermos init', {
      cwd: place.path,
    });
    expect({ stdout, stderr, status }).toEqual({
      stdout: '',
      stderr: 'error: cannot write hello.thermos: no such file or directory\n',
      status: 5,
    });
    expect(init('/proc/hello.thermos')).toMatchObject({ stdout: '', status: 5 });
  });
});
