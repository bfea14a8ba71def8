import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HAS_NATIVE } from '../runner/harness.js';
import { placeForEach, REPOSITORY, runToEnd, shell, thermos } from './harness.js';

const place = placeForEach();

describe.skipIf(!HAS_NATIVE)('the coordinator in C', () => {
  test('gives commands the limit of open files that thermos was started with', () => {
    const line = (command: string) => `ulimit -Sn 99; thermos ${command} --root '${place.root}'`;
    expect(shell(`${line('simplerun')} -- ulimit -Sn`)).toMatchObject({ status: 0, stdout: '99\n' });
    const { status, stdout } = shell(`${line('simplerun')} --daemon -- ulimit -Sn`);
    expect(status).toBe(0);
    expect(thermos(['wait', '--root', place.root, stdout.trim()]).status).toBe(0);
    expect(thermos(['tail', '--no-prefix', '--root', place.root, stdout.trim()]).stdout).toBe('99\n');
  });

  test('is used, as version and doctor say, unless THERMOS_COORDINATOR asks for the other', () => {
    const kind = (command: string, env = {}) =>
      JSON.parse(thermos([command, '--json'], { env }).stdout).coordinator;
    for (const command of ['version', 'doctor']) {
      expect(kind(command, { THERMOS_COORDINATOR: '' })).toBe('native');
      expect(kind(command, { THERMOS_COORDINATOR: 'js' })).toBe('js');
    }
    const wrong = thermos(['version', '--json'], { env: { THERMOS_COORDINATOR: 'C' } });
    expect(wrong.status).toBe(2);
    expect(JSON.parse(wrong.stdout).error.message).toBe('THERMOS_COORDINATOR is js or native, not "C"');
  });

  test('is replaced by Node in a package where it cannot be executed, and --debug says so', () => {
    const program = join(place.path, 'bin/run.js');
    mkdirSync(join(place.path, 'dist'));
    cpSync(join(REPOSITORY, 'bin'), join(place.path, 'bin'), { recursive: true });
    for (const name of readdirSync(join(REPOSITORY, 'dist'))) {
      const [from, to] = [join(REPOSITORY, 'dist', name), join(place.path, 'dist', name)];
      if (name.endsWith('.cjs')) cpSync(from, to);
      else if (name !== 'coordinator') symlinkSync(from, to);
    }
    writeFileSync(join(place.path, 'dist/coordinator'), '\x7fELF of another machine');
    chmodSync(join(place.path, 'dist/coordinator'), 0o755);
    const run = (...words: string[]) =>
      runToEnd(process.execPath, [program, ...words], { env: { THERMOS_COORDINATOR: '' } });
    const command = ['--root', place.root, '--', 'echo', 'hi'];
    for (const debug of [[], ['--debug']]) {
      const { status, stdout, stderr } = run('simplerun', ...debug, ...command);
      expect({ status, stdout }).toEqual({ status: 0, stdout: 'hi\n' });
      const notes = stderr.split('\n').filter((line) => line.startsWith('note: '));
      const note =
        /\/dist\/coordinator is not a program for this machine; Node watches the processes instead$/;
      expect(notes).toEqual(debug.map(() => expect.stringMatching(note)));
    }
    expect(JSON.parse(run('version', '--json').stdout).coordinator).toBe('js');
  });
});
