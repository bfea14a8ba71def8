import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { directoryUsers } from '../../src/host/directory-users.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let proc: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  proc = `${dir}/proc`;
  mkdirSync(proc);
});
afterEach(() => remove());

function make(
  pid: number | string,
  links: Record<string, string>,
  fds: Record<number, [string, string]> = {},
) {
  mkdirSync(`${proc}/${pid}/fd`, { recursive: true });
  mkdirSync(`${proc}/${pid}/fdinfo`);
  for (const [name, path] of Object.entries(links)) symlinkSync(path, `${proc}/${pid}/${name}`);
  for (const [fd, [path, flags]] of Object.entries(fds)) {
    symlinkSync(path, `${proc}/${pid}/fd/${fd}`);
    writeFileSync(`${proc}/${pid}/fdinfo/${fd}`, `pos:\t0\nflags:\t${flags}\n`);
  }
}

test('working and root directories, programs, and files open for writing', () => {
  make(
    7,
    { cwd: dir, root: '/', exe: '/usr/bin/x' },
    {
      0: ['/read', '0100000'],
      1: ['/written', '0100001'],
      2: ['/both', '0100002'],
      3: ['/dev/null', '01'],
      4: ['pipe:[1]', '01'],
    },
  );
  const { dev, ino } = statSync(dir);
  const users = directoryUsers(proc);
  expect(users.map(({ pid, path, how }) => `${pid} ${how} ${path}`)).toEqual([
    `7 works in it ${dir}`,
    '7 runs a program in it /usr/bin/x',
    '7 writes into it /written',
    '7 writes into it /both',
  ]);
  expect(users[0]?.identity).toMatchObject({ dev, ino });
  expect(users[1]?.identity).toBeUndefined();
});

test('a jail is reported; what we may not read, or is not a process, is left out', () => {
  make(8, { root: '/jail' });
  make('self', { cwd: dir });
  mkdirSync(`${proc}/9`);
  expect(directoryUsers(proc)).toMatchObject([
    { pid: 8, how: 'has it as its root directory', path: '/jail' },
  ]);
  expect(directoryUsers(`${dir}/none`)).toEqual([]);
});
